/**
 * CPU time of the entry that runs on isolated-vm's thread pool.
 *
 * isolated-vm does not tell which thread that is. But there is one such entry at a time (lane.ts), every thread has a
 * clock, and what else the pool does (tearing down isolates) is short: so it is the pool's thread that has moved most
 * since the entry began. Never above the wall time that has passed.
 *
 * The pool's threads bear the name of the thread that made them. They come late, and when all are busy isolated-vm
 * makes one for a single task: so they are looked for again when none accounts for the time that passes. A sealed cell
 * cannot read names; it has no other threads that come late (watchdog.ts sees to it).
 */
import { readFileSync } from 'node:fs';
import { type CpuClock, createCpuClock, listThreadIds, setThreadNice } from './cpu-clock.ts';

const LOOK_AGAIN_US = 1_000;
const LANE_NICE = 5; // long-running tenants give way to the thread that serves all the others
const POOL_THREAD_NAME = readName(process.pid);

interface PoolThread {
  readonly clock: CpuClock;
  base: number;
}

export class LaneClock {
  readonly #threads = new Map<number, PoolThread>();
  readonly #others: Set<number>;
  #lookedAtUs = 0;

  /** `others`: threads that are known not to run tenants. */
  constructor(others: readonly number[]) {
    this.#others = new Set(others);
  }

  /** An entry begins. */
  start(): void {
    this.#lookedAtUs = 0;
    this.#look();
    for (const thread of this.#threads.values()) thread.base = thread.clock();
  }

  /** CPU time of the entry so far, in µs, when `wallUs` have passed. */
  used(wallUs: number): number {
    // Without /proc there is only the process's clock, which counts every thread.
    if (this.#threads.size === 0 && this.#others.size === 0) return wallUs;
    let most = this.#most();
    if (most < wallUs / 2 && wallUs - this.#lookedAtUs >= LOOK_AGAIN_US) {
      this.#lookedAtUs = wallUs;
      this.#look();
      most = this.#most();
    }
    return Math.min(most, wallUs);
  }

  #most(): number {
    let most = 0;
    for (const thread of this.#threads.values()) most = Math.max(most, thread.clock() - thread.base);
    return most;
  }

  #look(): void {
    const present = new Set(listThreadIds());
    for (const id of this.#threads.keys()) if (!present.has(id)) this.#threads.delete(id);
    for (const id of present) {
      if (this.#threads.has(id) || this.#others.has(id)) continue;
      const name = readName(id);
      if (name !== undefined && name !== POOL_THREAD_NAME) {
        this.#others.add(id);
        continue;
      }
      // Born since the entry began: all of its time may be the entry's.
      this.#threads.set(id, { clock: createCpuClock(id), base: 0 });
      setThreadNice(id, LANE_NICE);
    }
  }
}

function readName(threadId: number): string | undefined {
  try {
    return readFileSync(`/proc/self/task/${threadId}/comm`, 'utf8');
  } catch {
    return undefined;
  }
}
