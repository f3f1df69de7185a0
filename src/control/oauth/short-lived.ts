/** Values that are kept in memory for a moment, each to be taken once: a restart forgets them, which is on the safe side. */
export class ShortLived<Value> {
  readonly #entries = new Map<string, { value: Value; endsAt: number }>();
  readonly #options: { lifetimeMs: number; max: number; now: () => number };

  constructor(options: { lifetimeMs: number; max: number; now: () => number }) {
    this.#options = options;
  }

  put(key: string, value: Value): void {
    const { lifetimeMs, max, now } = this.#options;
    for (const [oldest, { endsAt }] of this.#entries) {
      if (endsAt > now() && this.#entries.size < max) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, endsAt: now() + lifetimeMs });
  }

  take(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    return entry !== undefined && entry.endsAt > this.#options.now() ? entry.value : undefined;
  }
}
