/**
 * The Ledger port: what accounts have used, added up by Worker, event, outcome and time.
 *
 * A batch is taken once, however often it is given, and durable when `take` resolves. Sums are kept by minute for
 * `MINUTES_KEPT_DAYS`, by hour for `HOURS_KEPT_DAYS`, and by day. Times are UTC.
 */
import type { AccountId, WorkerName } from '../ids.ts';
import type { Outcome } from '../model.ts';
import type { UsageEvent, UsageOutcome, UsageTotals } from '../usage/totals.ts';

export const MINUTES_KEPT_DAYS = 3;
export const HOURS_KEPT_DAYS = 100;

export interface UsageEntry {
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly event: UsageEvent;
  readonly outcome: UsageOutcome;
  readonly totals: UsageTotals;
}

export interface UsageBatch {
  /** Of one life of a cell: never used again. */
  readonly cell: string;
  /** From 1 on, without gaps. They may come in another order than they were made. */
  readonly number: number;
  /** Since 1970. */
  readonly minute: number;
  readonly entries: readonly UsageEntry[];
}

export type UsageStep = 'minute' | 'hour' | 'day' | 'month';

export interface UsageQuery {
  readonly account: AccountId;
  readonly worker?: WorkerName;
  /** ms since 1970: steps that begin in `[since, until)`. */
  readonly since: number;
  readonly until: number;
  readonly by: UsageStep;
  /** All Workers as one, without a name. */
  readonly merged?: boolean;
}

/** What a Worker has used in one step. */
export interface UsageSum {
  /** When the step began, ms since 1970. */
  readonly time: number;
  /** Empty when Workers were to be merged. */
  readonly worker: WorkerName;
  readonly totals: UsageTotals;
  /** Invocations by how they ended, those through service bindings included. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
}

export interface Ledger extends AsyncDisposable {
  /** Adds all of the batch. False when it has been taken before. */
  take(batch: UsageBatch): Promise<boolean>;
  /** By time, then Worker. At most `limit`. */
  sums(query: UsageQuery, limit: number): Promise<readonly UsageSum[]>;
  deleteAccount(account: AccountId): Promise<void>;
  close(): Promise<void>;
}
