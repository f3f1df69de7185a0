/** Values by key with a cost each; the least recently used ones go when their sum passes the limit. */
export class LruCache<T> {
  readonly #maxCost: number;
  readonly #entries = new Map<string, { readonly value: T; readonly cost: number }>();
  #cost = 0;

  constructor(maxCost: number) {
    this.#maxCost = maxCost;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry); // the last one in the Map's order is the most recently used
    return entry.value;
  }

  /** A value that costs more than all together may cost is not kept. */
  set(key: string, value: T, cost: number): void {
    this.#remove(key);
    if (cost > this.#maxCost) return;
    this.#entries.set(key, { value, cost });
    this.#cost += cost;
    for (const oldest of this.#entries.keys()) {
      if (this.#cost <= this.#maxCost) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#cost -= this.#entries.get(key)?.cost ?? 0;
    this.#entries.delete(key);
  }
}
