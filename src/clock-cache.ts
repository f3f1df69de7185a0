interface Entry<Value> {
  readonly value: Value;
  readonly bytes: number;
  /** It has been asked for since the hand last passed it. */
  used: boolean;
  /** How many have it in their hands: it is not given up meanwhile, or it would be in memory and not counted. */
  held: number;
}

/** Values within a number of bytes. What has not been asked for lately goes first; a look-up costs no more than a Map's. */
export class ClockCache<Key, Value> {
  readonly #maxBytes: number;
  readonly #entries = new Map<Key, Entry<Value>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.used = true;
    return entry.value;
  }

  /** False when there is no room for it: it is too large, or the others are held. */
  add(key: Key, value: Value, bytes: number): boolean {
    if (this.#entries.has(key)) return true;
    if (!this.#makeRoom(bytes)) return false;
    this.#entries.set(key, { value, bytes, used: false, held: 0 });
    this.#bytes += bytes;
    return true;
  }

  /** Until the function that it returns is called, the entry stays. */
  hold(key: Key): () => void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return () => {};
    entry.held++;
    return () => void entry.held--;
  }

  #makeRoom(bytes: number): boolean {
    if (bytes > this.#maxBytes) return false;
    // Twice round, at most: the first time takes away the marks.
    let turns = 2 * this.#entries.size;
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + bytes <= this.#maxBytes) return true;
      if (turns-- <= 0) return false;
      this.#entries.delete(key);
      if (entry.used || entry.held > 0) {
        entry.used = false;
        this.#entries.set(key, entry);
      } else this.#bytes -= entry.bytes;
    }
    return this.#bytes + bytes <= this.#maxBytes;
  }
}
