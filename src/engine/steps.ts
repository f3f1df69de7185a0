/**
 * Work in an isolate as a list of steps, so that it is written once and done either on this thread, without letting go
 * of it, or step by step on the pool. Each step is watched on its own: on the pool, two may run on different threads.
 */
import type ivm from 'isolated-vm';
import { INLINE, LANE, type Runner } from './watch-words.ts';
import type { Watchdog } from './watchdog.ts';

export interface Step<T = unknown> {
  now(): T;
  pooled(): Promise<T>;
}

/** Yields steps and is resumed with what each came to. A step that failed is thrown where it was yielded. */
export type Steps<R = void> = Generator<Step, R>;

export interface StepsOptions {
  readonly isolate: ivm.Isolate;
  readonly watchdog: Watchdog;
  readonly slot: number;
  /** Of CPU time, for all steps together. */
  readonly budgetUs: number;
  /** The isolate must not be disposed of: one that goes on for so long beyond the budget ends the process. */
  readonly graceUs?: number;
}

/** What runs steps within one budget. */
export class StepRunner {
  /** The steps have used up their budget, and the isolate is gone. */
  condemned = false;
  /** CPU time of the steps so far, in µs. */
  usedUs = 0;
  readonly #options: StepsOptions;

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  /** Throws what the steps do; and past those that are left, when there is no isolate any more. */
  now<R>(steps: Steps<R>): R {
    let next = steps.next();
    while (next.done !== true) {
      const sequence = this.#begin(INLINE);
      let value: unknown;
      let failure: { error: unknown } | undefined;
      try {
        value = next.value.now();
      } catch (error) {
        failure = { error };
      }
      this.#end(INLINE, sequence, failure);
      next = failure === undefined ? steps.next(value) : steps.throw(failure.error);
    }
    return next.value;
  }

  /** The same on the pool, where the caller holds the lane. */
  async pooled<R>(steps: Steps<R>): Promise<R> {
    let next = steps.next();
    while (next.done !== true) {
      const sequence = this.#begin(LANE);
      let value: unknown;
      let failure: { error: unknown } | undefined;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
        value = await next.value.pooled();
      } catch (error) {
        failure = { error };
      }
      this.#end(LANE, sequence, failure);
      next = failure === undefined ? steps.next(value) : steps.throw(failure.error);
    }
    return next.value;
  }

  #begin(runner: Runner): number {
    const { watchdog, slot, budgetUs, graceUs } = this.#options;
    const leftUs = Math.max(budgetUs - this.usedUs, 1);
    return graceUs === undefined ? watchdog.begin(runner, slot, leftUs) : watchdog.beginKept(slot, leftUs + graceUs);
  }

  #end(runner: Runner, sequence: number, failure: { error: unknown } | undefined): void {
    const { isolate, watchdog, budgetUs, graceUs } = this.#options;
    const hasEndedInTime = watchdog.end(runner, sequence);
    this.usedUs += watchdog.usedUs;
    this.condemned = !hasEndedInTime || (graceUs !== undefined && this.usedUs > budgetUs);
    if (this.condemned) throw new Error('The CPU budget is used up');
    if (failure !== undefined && isolate.isDisposed) throw failure.error;
  }
}
