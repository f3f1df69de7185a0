import type { AccountId } from '../../../ids.ts';
import { LOG_BURST_SECONDS, LOG_BYTES_PER_SECOND, MAX_LOG_BACKLOG_BYTES } from '../../../limits.ts';
import type { LogDraft } from './log-tables.ts';

const BATCH_BYTES = 256 * 1024;
const BATCH_DELAY_MS = 100;
const DRAFT_BYTES = 512; // what one costs beside its text
const ACCOUNTS_SHARE = 0.25; // of the backlog, for one account
const MAX_IDLE_ACCOUNTS = 10_000;
const BURST_BYTES = LOG_BYTES_PER_SECOND * LOG_BURST_SECONDS;

interface Account {
  /** What it may still log at once. */
  budget: number;
  /** When that was last reckoned, ms of any clock. */
  at: number;
  /** On the way to the disk. */
  waiting: number;
  /** Left out since the last that was taken. */
  dropped: number;
}

export interface LogQueueOptions {
  /** Resolves when they are on disk, or lost. Must not reject. */
  readonly write: (batch: readonly LogDraft[]) => Promise<void>;
  /** ms of any clock. */
  readonly now: () => number;
}

/**
 * Records on their way to the disk. Each account has a rate and a share of the memory: one that logs without end loses
 * its own records, and nobody else's; a disk that is too slow for all loses some, and stops nobody.
 */
export class LogQueue {
  readonly #options: LogQueueOptions;
  readonly #accounts = new Map<AccountId, Account>();
  readonly #writing = new Set<Promise<void>>();
  #batch: LogDraft[] = [];
  #batchBytes = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LogQueueOptions) {
    this.#options = options;
  }

  /** Whether it was taken. */
  add(account: AccountId, line: string): boolean {
    const state = this.#account(account);
    const bytes = DRAFT_BYTES + line.length;
    const fits =
      state.budget > 0 &&
      state.waiting + bytes <= MAX_LOG_BACKLOG_BYTES * ACCOUNTS_SHARE &&
      this.#waiting + bytes <= MAX_LOG_BACKLOG_BYTES;
    if (!fits) {
      state.dropped++;
      return false;
    }
    state.budget -= bytes;
    state.waiting += bytes;
    this.#waiting += bytes;
    this.#batch.push({ account, line, dropped: state.dropped });
    state.dropped = 0;
    this.#batchBytes += bytes;
    if (this.#batchBytes >= BATCH_BYTES) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), BATCH_DELAY_MS);
    return true;
  }

  /** Resolves when what was taken before has been written. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#writing);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#batch = [];
    this.#batchBytes = 0;
    const written = this.#options.write(batch).then(() => {
      this.#writing.delete(written);
      for (const { account, line } of batch) {
        const bytes = DRAFT_BYTES + line.length;
        this.#waiting -= bytes;
        const state = this.#accounts.get(account);
        if (state !== undefined) state.waiting -= bytes;
      }
    });
    this.#writing.add(written);
  }

  #account(id: AccountId): Account {
    const now = this.#options.now();
    let state = this.#accounts.get(id);
    if (state === undefined) {
      if (this.#accounts.size >= MAX_IDLE_ACCOUNTS) this.#forgetIdle(now);
      state = { budget: BURST_BYTES, at: now, waiting: 0, dropped: 0 };
      this.#accounts.set(id, state);
    }
    state.budget = Math.min(BURST_BYTES, state.budget + ((now - state.at) / 1_000) * LOG_BYTES_PER_SECOND);
    state.at = now;
    return state;
  }

  /** Those that would be the same if they were new. */
  #forgetIdle(now: number): void {
    for (const [id, { at, waiting, dropped }] of this.#accounts) {
      if (waiting === 0 && dropped === 0 && now - at > LOG_BURST_SECONDS * 1_000) this.#accounts.delete(id);
    }
  }
}
