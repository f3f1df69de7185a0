/** How long things took, as counts per bucket: what a histogram is made of. */

/** Upper bounds of the buckets, in milliseconds; one more bucket takes what is longer. */
export const LATENCY_BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000] as const;
const BUCKETS = LATENCY_BUCKETS_MS.length + 1;

export interface LatencySample {
  /** Per bucket, the last one for what is longer than all bounds. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export const NO_LATENCIES: LatencySample = { counts: zeros(), sumMs: 0 };

export class LatencyCounts {
  #counts = zeros();
  #sumMs = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  note(ms: number): void {
    let bucket = 0;
    while (bucket < BUCKETS - 1 && ms > LATENCY_BUCKETS_MS[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sumMs += ms;
    this.#count++;
  }

  /** What was noted since the last call. */
  take(): LatencySample {
    const taken = { counts: this.#counts, sumMs: Math.round(this.#sumMs) };
    this.#counts = zeros();
    this.#sumMs = 0;
    this.#count = 0;
    return taken;
  }
}

/** Samples added up. */
export class LatencyTotals implements LatencySample {
  readonly counts = zeros();
  sumMs = 0;

  add({ counts, sumMs }: LatencySample): void {
    for (const [bucket, count] of counts.entries()) this.counts[bucket]! += count;
    this.sumMs += sumMs;
  }
}

function zeros(): number[] {
  return Array.from({ length: BUCKETS }, () => 0);
}
