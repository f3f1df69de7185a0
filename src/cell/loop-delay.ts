/** How late this process's event loop is: what a request that arrives now would wait before it is looked at. */
import { LatencyCounts, type LatencySample } from '../latency-counts.ts';

const SAMPLE_EVERY_MS = 50; // 20 wake-ups a second cost an idle cell 0.05 % of a core

export class LoopDelay {
  readonly #counts = new LatencyCounts();
  readonly #timer: NodeJS.Timeout;
  #dueAt = performance.now() + SAMPLE_EVERY_MS;

  constructor() {
    this.#timer = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
    this.#timer.unref();
  }

  /** Since the last call. */
  take(): LatencySample {
    return this.#counts.take();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const now = performance.now();
    this.#counts.note(Math.max(now - this.#dueAt, 0));
    this.#dueAt = now + SAMPLE_EVERY_MS;
  }
}
