import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { AccountId, WorkerName } from '../../ids.ts';
import type { Cursor, RouteEvent } from '../registry.ts';
import { type Row, toRoute } from './rows.ts';

const BATCH_ROWS = 1_000; // read at once: bounds memory, and gives other work a turn in between

/**
 * Follows the `routes` table. The table keeps only the last change of each route, so a watcher that reads by
 * rising revision misses nothing and sees fast changes merged.
 */
export class RouteFeed {
  #changedSince: StatementSync;
  #meta: StatementSync;
  #listeners = new Set<() => void>();
  #closed = false;

  constructor(database: DatabaseSync) {
    this.#changedSince = database.prepare(
      'SELECT account, worker, revision, route FROM routes WHERE revision > ? ORDER BY revision LIMIT ?',
    );
    this.#meta = database.prepare('SELECT value FROM meta WHERE key = ?');
  }

  cursor(): Cursor {
    return { epoch: String(this.#read('epoch')), revision: Number(this.#read('revision')) };
  }

  /** To be called after each commit that changed a route. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    this.#closed = true;
    this.notify();
  }

  async *watch({ from, signal }: { from?: Cursor; signal?: AbortSignal } = {}): AsyncGenerator<RouteEvent> {
    const { epoch, revision } = this.cursor();
    const mayResume = from !== undefined && from.epoch === epoch && from.revision <= revision;
    let position = mayResume ? from.revision : -1;
    // Tombstones up to here are nothing to a watcher that starts from nothing.
    let resetAt = -1;
    let isSynced = false;
    let wake = (): void => {};
    const listener = (): void => wake();
    this.#listeners.add(listener);
    signal?.addEventListener('abort', listener);
    try {
      const isOver = (): boolean => this.#closed || signal?.aborted === true;
      while (!isOver()) {
        if (position < 0 || Math.max(position, resetAt) < Number(this.#read('compacted'))) {
          position = 0;
          resetAt = this.cursor().revision;
          isSynced = false;
          yield { type: 'reset' };
          continue;
        }
        const changed = Promise.withResolvers<void>();
        wake = changed.resolve;
        const rows = this.#changedSince.all(position, BATCH_ROWS);
        for (const row of rows) {
          position = Number(row['revision']);
          const event = toEvent(row, position);
          if (event.type === 'delete' && position <= resetAt) continue;
          isSynced = false;
          yield event;
        }
        if (rows.length === BATCH_ROWS) continue;
        if (!isSynced) {
          isSynced = true;
          // Not cursor().revision: what was committed during the yields above has not been given yet. But a reset
          // can end before the last revision, when that was a tombstone that is compacted.
          yield { type: 'synced', cursor: { epoch, revision: Math.max(position, resetAt) } };
        }
        await changed.promise;
      }
    } finally {
      this.#listeners.delete(listener);
      signal?.removeEventListener('abort', listener);
    }
  }

  #read(key: string): unknown {
    return this.#meta.get(key)?.['value'];
  }
}

function toEvent(row: Row, revision: number): RouteEvent {
  if (row['route'] !== null) return { type: 'put', route: toRoute(row), revision };
  return {
    type: 'delete',
    account: row['account'] as AccountId,
    worker: row['worker'] as WorkerName,
    revision,
  };
}
