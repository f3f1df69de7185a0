/**
 * CPU time of entries that run on isolated-vm's thread pool.
 *
 * isolated-vm does not tell which of its threads runs an entry. But no more entries run at once than there are threads,
 * nothing else runs on them, and every thread has a clock: so the entry is found by elimination. While one entry is
 * without a thread, its CPU time is that of the free thread that has moved most since it began; once that is a
 * millisecond, the thread is its own until it ends. While several began together, the n-th largest movement is a time
 * that each of them has surely used: the estimate is never above the truth.
 */
import { createCpuClock } from './cpu-clock.ts';
import type { CpuClock } from './cpu-clock.ts';

const SURE_US = 1_000; // movement that cannot be the tail of an entry that ended before

export class LaneClocks {
  readonly #clocks: readonly CpuClock[];
  /** Per lane: -2 idle, -1 running on an unknown thread, else the thread's index. */
  readonly #thread: Int32Array;
  /** Per lane and thread: the thread's clock when the lane's entry began. */
  readonly #base: Float64Array;
  readonly #moved: Float64Array;

  constructor(threadIds: readonly number[], lanes: number) {
    // Without known threads the process's CPU time is the only clock: an upper bound of each entry's.
    this.#clocks = (threadIds.length > 0 ? threadIds : [0]).map((id) => createCpuClock(id));
    this.#thread = new Int32Array(lanes).fill(-2);
    this.#base = new Float64Array(lanes * this.#clocks.length);
    this.#moved = new Float64Array(this.#clocks.length);
  }

  start(lane: number): void {
    this.#thread[lane] = -1;
    const at = lane * this.#clocks.length;
    for (let thread = 0; thread < this.#clocks.length; thread++) {
      this.#base[at + thread] = this.#read(thread);
    }
  }

  end(lane: number): void {
    this.#thread[lane] = -2;
  }

  /** CPU time used by the lane's entry so far, in µs; never above the truth. */
  used(lane: number): number {
    const own = this.#thread[lane] ?? -2;
    const at = lane * this.#clocks.length;
    if (own >= 0) return this.#read(own) - (this.#base[at + own] ?? 0);
    let unknown = 0;
    for (const thread of this.#thread) if (thread === -1) unknown++;
    let best = -1;
    for (let thread = 0; thread < this.#clocks.length; thread++) {
      const taken = this.#clocks.length > 1 && this.#thread.includes(thread);
      this.#moved[thread] = taken ? -1 : this.#read(thread) - (this.#base[at + thread] ?? 0);
      if (best < 0 || (this.#moved[thread] ?? 0) > (this.#moved[best] ?? 0)) best = thread;
    }
    if (unknown === 1) {
      const moved = this.#moved[best] ?? 0;
      if (moved > SURE_US && this.#clocks.length > 1) this.#thread[lane] = best;
      return moved;
    }
    this.#moved.sort();
    return this.#moved[Math.max(0, this.#moved.length - unknown)] ?? 0;
  }

  #read(thread: number): number {
    return this.#clocks[thread]?.() ?? 0;
  }
}
