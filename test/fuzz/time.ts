/** How long a target is fuzzed: some seconds as part of `npm test`, minutes by `npm run fuzz -- --minutes 10`. */
const MINUTES = Number(process.env['ISOLA_FUZZ_MINUTES'] ?? 0.2);

export const FUZZ_MS = MINUTES * 60_000;

/** True until the time is over. */
export function fuzzing(ms = FUZZ_MS): () => boolean {
  const since = performance.now();
  return () => performance.now() - since < ms;
}
