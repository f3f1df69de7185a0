/**
 * Lanes: how many entries may run on isolated-vm's thread pool at once, and which waits for which.
 *
 * One lane per pool thread (the warden keeps one), so that an entry begins when its lane does and its CPU time can be
 * told apart (lane-clocks.ts). Entries of Workers not yet known go before those that are known to run long: a tenant
 * who spins waits behind other spinners, not in front of a newcomer.
 */
export type LanePriority = 'unknown' | 'long';

type Waiter = (lane: number) => void;

export class Lanes {
  readonly #free: number[] = [];
  readonly #unknown: Waiter[] = [];
  readonly #long: Waiter[] = [];

  constructor(count: number) {
    for (let lane = count; lane >= 1; lane--) this.#free.push(lane);
  }

  /** Resolves with a lane (1…count) when one is free. Each must be given back with `release`. */
  acquire(priority: LanePriority): Promise<number> {
    const lane = this.#free.pop();
    if (lane !== undefined) return Promise.resolve(lane);
    const queue = priority === 'unknown' ? this.#unknown : this.#long;
    return new Promise((resolve) => queue.push(resolve));
  }

  release(lane: number): void {
    const next = this.#unknown.shift() ?? this.#long.shift();
    if (next === undefined) this.#free.push(lane);
    else next(lane);
  }
}
