/** For tests of this folder: a clock that stands still until it is told to go on. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from './scheduler.ts';

const TURNS = 20; // of the event loop: more than any chain of promises between two timers takes

export class FakeClock implements Clock {
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  /** How far the wall clock is from the one that timers go by. */
  #offset = 0;

  constructor(now: number) {
    this.#now = now;
  }

  now(): number {
    return this.#now + this.#offset;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass; timers run in their order, and what they set off is done before the next one. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
    await settle();
  }

  /** Puts the wall clock forward, or back. Timers do not notice. */
  jump(ms: number): void {
    this.#offset += ms;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await setImmediate();
}
