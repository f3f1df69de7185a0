import type { AccountId } from '../ids.ts';
import { LOG_BURST_SECONDS, LOG_BYTES_PER_SECOND } from '../limits.ts';
import type { InvocationRecord } from '../model.ts';
import { sizeOf } from './record-size.ts';

const BURST_BYTES = LOG_BYTES_PER_SECOND * LOG_BURST_SECONDS;
const MAX_ACCOUNTS = 10_000; // remembered; one that is forgotten begins anew

interface Budget {
  bytes: number;
  /** When that was reckoned, ms of any clock. */
  at: number;
  dropped: number;
}

/**
 * How much each account may log in this cell: one that logs without end costs its cell and the supervisor so much and no
 * further. Its records go on, without what was logged.
 */
export class LogBudgets {
  readonly #budgets = new Map<AccountId, Budget>();

  /** The record as it is to be sent; undefined when its account has logged too much. */
  admit(record: InvocationRecord, now: number): InvocationRecord | undefined {
    if (record.logs.length + record.exceptions.length === 0) return record;
    let budget = this.#budgets.get(record.account);
    if (budget === undefined) {
      if (this.#budgets.size >= MAX_ACCOUNTS) this.#budgets.delete(this.#budgets.keys().next().value!);
      budget = { bytes: BURST_BYTES, at: now, dropped: 0 };
      this.#budgets.set(record.account, budget);
    }
    budget.bytes = Math.min(BURST_BYTES, budget.bytes + ((now - budget.at) / 1_000) * LOG_BYTES_PER_SECOND);
    budget.at = now;
    // It may go below nothing once: a record is never larger than what an invocation may log.
    if (budget.bytes <= 0) {
      budget.dropped++;
      return undefined;
    }
    budget.bytes -= sizeOf(record);
    if (budget.dropped === 0) return record;
    const { dropped } = budget;
    budget.dropped = 0;
    return { ...record, dropped };
  }
}
