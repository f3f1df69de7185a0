/**
 * The Schedules port: the cron triggers of Workers, when each is due next, and how its last runs went.
 *
 * A run is claimed before it starts, durably and once per due time: whoever crashes behind the claim loses that run, and
 * nobody does it twice. Knows nothing of cron expressions: due times are the caller's. Times are ms since 1970.
 */
import type { AccountId, WorkerName } from '../ids.ts';

export interface Schedule {
  readonly cron: string;
  readonly createdOn: number;
  readonly modifiedOn: number;
  readonly nextDue: number;
  /** Newest first, up to `RUNS_KEPT`. */
  readonly runs: readonly ScheduledRun[];
}

export interface ScheduledRun {
  readonly due: number;
  /** It makes up for due times that passed while nobody could run it. */
  readonly missed: boolean;
  readonly startedOn: number;
  /** Absent while it runs. `unknown`: the platform ended meanwhile. */
  readonly outcome?: string;
  readonly cpuUs?: number;
  readonly wallMs?: number;
}

export const RUNS_KEPT = 10; // of each schedule

/** Names one schedule for as long as it exists; never used again. */
export type ScheduleId = number;

export interface DueSchedule {
  readonly id: ScheduleId;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly cron: string;
  readonly nextDue: number;
}

export interface ScheduleClaim {
  readonly id: ScheduleId;
  /** What `nextDue` was: the claim fails when it has changed. */
  readonly nextDue: number;
  /** The due time that is run. */
  readonly due: number;
  readonly missed: boolean;
  /** What `nextDue` becomes. */
  readonly next: number;
  readonly now: number;
}

export interface RunEnd {
  readonly id: ScheduleId;
  readonly due: number;
  readonly outcome: string;
  readonly cpuUs: number;
  readonly wallMs: number;
}

/** Every write is durable once its promise resolves. */
export interface Schedules extends AsyncDisposable {
  /**
   * The Worker has these schedules from here on. Those that it had already go on as they were. Throws `workerNotFound`.
   * They go with the Worker.
   */
  replace(
    account: AccountId,
    worker: WorkerName,
    update: { readonly crons: readonly { readonly cron: string; readonly nextDue: number }[]; readonly now: number },
  ): Promise<Schedule[]>;
  /** In the order in which they were given. */
  list(account: AccountId, worker: WorkerName): Promise<Schedule[]>;
  /** Those with `nextDue` up to `now`, accounts by turns: each account's first, then each one's second. */
  due(now: number, limit: number): Promise<DueSchedule[]>;
  /** Says of each whether it is the caller's to run: not when it is gone, has changed, or that due time was run before. */
  claim(claims: readonly ScheduleClaim[]): Promise<boolean[]>;
  /** Passes over due times without a run. From `next` on all is as if nothing had run. */
  skip(skips: readonly Pick<ScheduleClaim, 'id' | 'nextDue' | 'next'>[]): Promise<void>;
  /** Those that were run for a due time after `ms`: a clock that has since been put back would keep them waiting. */
  ranAfter(ms: number, limit: number): Promise<DueSchedule[]>;
  endRuns(ends: readonly RunEnd[]): Promise<void>;
  /** Runs without an outcome, which an earlier process left behind, get the outcome `unknown`. */
  abandonRuns(): Promise<void>;
  close(): Promise<void>;
}
