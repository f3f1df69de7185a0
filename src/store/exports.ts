/**
 * The Exports port: how much of each account's usage another system has been told, so that it is told once.
 * A `put` is durable when it resolves.
 */
import type { AccountId } from '../ids.ts';

export interface ExportKey {
  readonly account: AccountId;
  /** `2026-11`. */
  readonly month: string;
  readonly meter: string;
}

/** What is being told. It is kept before it is sent, so that it is sent again as it was after a crash. */
export interface PendingExport {
  readonly identifier: string;
  readonly value: number;
  /** s since 1970. */
  readonly at: number;
  /** Since when it may have been taken without our knowing, ms since 1970. Absent: it has not been. */
  readonly unknownSince?: number;
}

export interface ExportProgress {
  /** Of the month, so far. */
  readonly exported: number;
  readonly pending?: PendingExport;
}

export interface Exports extends AsyncDisposable {
  get(key: ExportKey): Promise<ExportProgress>;
  put(key: ExportKey, progress: ExportProgress): Promise<void>;
  deleteAccount(account: AccountId): Promise<void>;
  close(): Promise<void>;
}
