/**
 * The LogStore port: what invocations logged and threw, kept for a while and found again. Plain successes are not in it.
 *
 * What is handed in was written by a cell, and by tenants in it: nothing of it is believed, and however much of it comes,
 * `append` takes what is within the account's bounds, drops and counts the rest, and never waits.
 */
import type { AccountId } from '../ids.ts';
import type { AccountData } from './account-data.ts';

/** An invocation with something to see. */
export interface LogEntry {
  readonly ray: string;
  readonly worker: string;
  readonly version: string;
  readonly event: string;
  readonly outcome: string;
  /** When it began, ms since 1970. */
  readonly at: number;
  /** HTTP status sent, 0 when none was. */
  readonly status: number;
  readonly method?: string;
  /** Without the values of parameters that look like secrets. */
  readonly url?: string;
  readonly cron?: string;
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly logs: readonly { readonly level: string; readonly message: string; readonly at: number }[];
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack: string }[];
  /** It logged or threw more than an invocation may. */
  readonly truncated: boolean;
  /** Invocations of the account that were left out since the entry before: it logged more than it may. */
  readonly dropped: number;
}

export interface StoredLogEntry extends LogEntry {
  /** Rises with the time at which invocations end. */
  readonly id: number;
}

export interface LogQuery {
  readonly worker?: string;
  readonly outcome?: string;
  /**
   * Words and `"phrases in quotes"` that must all occur, in any case and anywhere in a word: in console lines, exceptions,
   * the URL or the ray.
   */
  readonly text?: string;
  /** Ended at this time or later, ms since 1970. */
  readonly since?: number;
  /** Ended before this time. */
  readonly until?: number;
  /** Only entries newer than the one with this id. */
  readonly after?: number;
  /** Only entries older than the one with this id. */
  readonly before?: number;
  readonly limit: number;
}

export interface LogPage {
  /** Newest first. May be fewer than asked for although there are more: a search ends when it has taken long enough. */
  readonly entries: readonly StoredLogEntry[];
  /** What to ask for as `before` to go on; absent when there are no more. */
  readonly next?: number;
}

/** How much is kept. Infinity for no limit. */
export interface LogQuota {
  readonly days: number;
  /** Of one account: its oldest go first. */
  readonly accountBytes: number;
  /** Of all together: the oldest of the account that has the most go first. */
  readonly totalBytes: number;
}

export interface LogStore extends AccountData, AsyncDisposable {
  /** Takes a record, as a line of JSON, or drops it; in either case at once. On disk some time later. */
  append(account: AccountId, line: string): void;
  list(account: AccountId, query: LogQuery): Promise<LogPage>;
  deleteAccount(account: AccountId): Promise<void>;
  /** Resolves when what was taken before is on disk, and what is beyond the quota is gone. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
