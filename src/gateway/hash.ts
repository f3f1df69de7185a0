/**
 * FNV-1a over the string's UTF-16 units: 32 bits, unsigned. Similar texts differ in the low bits only: `mix` it before
 * dividing. Spreads load; proves nothing.
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Rendezvous hashing: which of these cells a Worker is best at, `name` being its first labels (`worker.account`). */
export function preferredCell(name: string, cells: readonly string[]): string | undefined {
  const hash = fnv1a(name);
  return cells.toSorted((a, b) => mix(hash, fnv1a(b)) - mix(hash, fnv1a(a)))[0];
}

/** Makes every bit of the result depend on every bit of both (the finalizer of MurmurHash3). */
export function mix(a: number, b: number): number {
  let hash = a ^ Math.imul(b, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
