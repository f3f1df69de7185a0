/** For the bench alone, which compares one and the same platform with metering and without. */

/** A variable of the environment: what is used is then counted in every other turn only. Nobody who bills sets it. */
export const METERING_TURNS = 'ISOLA_BENCH_METERING_TURNS';
export const METERING_TURN_MS = 3_000;

/** By the wall clock, which bench and cells share. */
export function isMeteredAt(nowMs: number): boolean {
  return Math.floor(nowMs / METERING_TURN_MS) % 2 === 0;
}

/** Calls `set` with the beginning of each turn, for as long as the process lives. */
export function takeMeteringTurns(set: (isMetered: boolean) => void): void {
  const now = Date.now();
  set(isMeteredAt(now));
  setTimeout(() => takeMeteringTurns(set), METERING_TURN_MS - (now % METERING_TURN_MS)).unref();
}
