import type { AccountId } from '../../../ids.ts';
import type { LogPage, LogQuery, LogQuota, LogStore } from '../../logs.ts';
import { DatabaseThread } from '../database-thread.ts';
import { LogQueue } from './log-queue.ts';
import { type LogDraft, LogTables } from './log-tables.ts';
import { openLogDatabase } from './open-database.ts';

export interface LogThreadData {
  readonly path: string;
  readonly mode: 'read' | 'write';
  readonly quota: LogQuota;
}

/** What threads are asked for by name. */
export type LogOperation = 'append' | 'deleteAccount' | 'list';

export interface LogStoreOptions {
  readonly quota: LogQuota;
  /** Something could not be written. */
  readonly onError: (error: unknown) => void;
}

interface Executor {
  read(operation: LogOperation, parameters: readonly unknown[]): Promise<unknown>;
  write(operation: LogOperation | 'flush', parameters: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens the store in a file of its own, away from the event loop: one thread writes, another one searches past it. */
export async function openSqliteLogStore(path: string, { quota, onError }: LogStoreOptions): Promise<LogStore> {
  const start = (mode: LogThreadData['mode']) => {
    const data = { path, mode, quota } satisfies LogThreadData;
    return DatabaseThread.start(new URL('./log-thread.ts', import.meta.url), { name: 'logs', ...data });
  };
  const writer = await start('write'); // first: it brings the schema up to date
  const reader = await start('read');
  const executor: Executor = {
    read: (operation, parameters) => reader.ask(operation, parameters),
    write: (operation, parameters) => writer.ask(operation, parameters),
    close: async () => {
      await reader.close();
      await writer.close();
    },
  };
  return new SqliteLogStore(executor, onError);
}

/** The same in this thread, for tests. `now`: ms since 1970. */
export function openInlineLogStore(options: { quota: LogQuota; now: () => number }, path = ':memory:'): LogStore {
  const database = openLogDatabase(path);
  const tables = new LogTables(database, options);
  const run = (operation: LogOperation, parameters: readonly unknown[]): unknown =>
    (tables[operation] as (...parameters: readonly unknown[]) => unknown).apply(tables, [...parameters]);
  const executor: Executor = {
    read: async (operation, parameters) => run(operation, parameters),
    write: async (operation, parameters) => {
      if (operation === 'flush') while (database.transact(() => tables.sweep()));
      else database.transact(() => run(operation, parameters));
    },
    close: async () => database.close(),
  };
  return new SqliteLogStore(executor, (error) => {
    throw error;
  });
}

class SqliteLogStore implements LogStore {
  readonly #executor: Executor;
  readonly #queue: LogQueue;

  constructor(executor: Executor, onError: (error: unknown) => void) {
    this.#executor = executor;
    this.#queue = new LogQueue({
      now: () => performance.now(),
      write: async (batch: readonly LogDraft[]) => {
        await executor.write('append', [batch]).catch(onError);
      },
    });
  }

  append(account: AccountId, line: string): void {
    this.#queue.add(account, line);
  }

  list(account: AccountId, query: LogQuery): Promise<LogPage> {
    return this.#executor.read('list', [account, query]) as Promise<LogPage>;
  }

  async deleteAccount(account: AccountId): Promise<void> {
    await this.#queue.flush();
    await this.#executor.write('deleteAccount', [account]);
  }

  async flush(): Promise<void> {
    await this.#queue.flush();
    await this.#executor.write('flush', []);
  }

  async close(): Promise<void> {
    await this.#queue.flush();
    await this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
