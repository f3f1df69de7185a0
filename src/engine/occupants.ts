/**
 * Which version is in which isolate, in shared memory: so that the watchdog's thread can say whose entry it was that
 * nobody can end. By the isolate's slot, as the four words of a UUID.
 */
const SLOTS = 16_384; // more isolates than a process can have: see MAX_LIVE of cell/instances.ts
const UUID_WORDS = 4;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export class Occupants {
  readonly shared: SharedArrayBuffer;
  readonly #words: Uint32Array;

  constructor(shared = new SharedArrayBuffer(4 * UUID_WORDS * SLOTS)) {
    this.shared = shared;
    this.#words = new Uint32Array(shared);
  }

  /** The isolate of this slot has this version's code from here on. Others than UUIDs are nobody's. */
  set(slot: number, version: string): void {
    if (slot >= SLOTS) return;
    const digits = UUID.test(version) ? version.replaceAll('-', '') : '';
    for (let i = 0; i < UUID_WORDS; i++) {
      this.#words[UUID_WORDS * slot + i] = digits === '' ? 0 : Number.parseInt(digits.slice(8 * i, 8 * i + 8), 16);
    }
  }

  get(slot: number): string | undefined {
    const words = this.#words.subarray(UUID_WORDS * slot, UUID_WORDS * (slot + 1));
    if (slot < 0 || words.length < UUID_WORDS || words.every((word) => word === 0)) return undefined;
    const digits = Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}
