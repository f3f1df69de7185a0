import type { AccountId, WorkerName } from '../ids.ts';
import { TAIL_BYTES_PER_SECOND, TAIL_EVENTS_PER_SECOND } from '../limits.ts';
import type { InvocationRecord } from '../model.ts';
import { sizeOf } from './record-size.ts';

interface Budget {
  events: number;
  bytes: number;
  /** When it was last filled up, ms of any clock. */
  at: number;
  /** Records that found it used up, since the last one that did not. */
  dropped: number;
}

/**
 * The Workers whose records somebody wants to see in full, each with a budget: one that is busy, or logs without end,
 * costs its cell and the supervisor so much more and no further.
 */
export class TailedWorkers {
  #budgets = new Map<string, Budget>();

  set(workers: readonly { readonly account: AccountId; readonly worker: WorkerName }[]): void {
    const before = this.#budgets;
    this.#budgets = new Map(workers.map((worker) => [toKey(worker), before.get(toKey(worker)) ?? full()]));
  }

  /** How many records of the Worker were left out since the last one; undefined for one that is not wanted. */
  admit(record: InvocationRecord, now: number): number | undefined {
    if (this.#budgets.size === 0) return undefined;
    const budget = this.#budgets.get(toKey(record));
    if (budget === undefined) return undefined;
    const seconds = (now - budget.at) / 1_000;
    budget.at = now;
    budget.events = Math.min(TAIL_EVENTS_PER_SECOND, budget.events + seconds * TAIL_EVENTS_PER_SECOND);
    budget.bytes = Math.min(TAIL_BYTES_PER_SECOND, budget.bytes + seconds * TAIL_BYTES_PER_SECOND);
    // It may go below nothing once: a record is never larger than what an invocation may log.
    if (budget.events < 1 || budget.bytes <= 0) {
      budget.dropped++;
      return undefined;
    }
    budget.events--;
    budget.bytes -= sizeOf(record);
    const { dropped } = budget;
    budget.dropped = 0;
    return dropped;
  }
}

function full(): Budget {
  return { events: TAIL_EVENTS_PER_SECOND, bytes: TAIL_BYTES_PER_SECOND, at: 0, dropped: 0 };
}

function toKey({ account, worker }: { account: AccountId; worker: WorkerName }): string {
  return `${worker}.${account}`;
}
