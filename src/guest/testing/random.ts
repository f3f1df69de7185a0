/** Random inputs that a failure can be repeated from: by the seed that the test names. */

/** How many inputs a property test tries: few as part of `npm test`, a million by `npm run fuzz`. */
export const RUNS = Number(process.env['ISOLA_FUZZ_RUNS'] ?? 20_000);
export const SEED = Number(process.env['ISOLA_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** An integer of 0 or more, below `end` (xorshift32). */
  below(end: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % end;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Up to `count` pieces, joined. */
  join(pieces: readonly string[], count: number): string {
    let text = '';
    for (let left = this.below(count + 1); left > 0; left--) text += this.pick(pieces);
    return text;
  }
}
