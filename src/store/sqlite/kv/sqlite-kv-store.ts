import type { AccountId } from '../../../ids.ts';
import type { KvAddress, KvEntry, KvNamespace, KvPage, KvRange, KvRead, KvStore } from '../../kv.ts';
import { DatabaseThread } from '../database-thread.ts';
import { type KvOperation, KvTables } from './kv-tables.ts';
import { openKvDatabase } from './open-database.ts';

/** Runs an operation of KvTables, wherever the file is open. */
interface Executor {
  read(operation: KvOperation, parameters: readonly unknown[]): Promise<unknown>;
  write(operation: KvOperation, parameters: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Opens the store in a file of its own, away from the event loop: one thread writes, another one reads past it, and a
 * namespace deleted or expired is cleared away between their other work.
 */
export async function openSqliteKvStore(path: string): Promise<KvStore> {
  const start = (mode: 'read' | 'write') =>
    DatabaseThread.start<KvOperation>(new URL('./kv-thread.ts', import.meta.url), { name: 'kv', path, mode });
  const writer = await start('write'); // first: it brings the schema up to date
  const reader = await start('read');
  return new SqliteKvStore({
    read: (operation, parameters) => reader.ask(operation, parameters),
    write: (operation, parameters) => writer.ask(operation, parameters),
    close: async () => {
      await reader.close();
      await writer.close();
    },
  });
}

/** The same in this thread, for tests and small programs. `now`: ms since 1970. */
export function openInlineKvStore(path = ':memory:', now: () => number = Date.now): KvStore {
  const database = openKvDatabase(path);
  const tables = new KvTables(database, now);
  const run = (operation: KvOperation, parameters: readonly unknown[]): unknown =>
    (tables[operation] as (...parameters: readonly unknown[]) => unknown).apply(tables, [...parameters]);
  return new SqliteKvStore({
    read: async (operation, parameters) => run(operation, parameters),
    write: async (operation, parameters) => database.transact(() => run(operation, parameters)),
    close: async () => database.close(),
  });
}

class SqliteKvStore implements KvStore {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  async createNamespace(account: AccountId, namespace: KvNamespace): Promise<void> {
    await this.#executor.write('createNamespace', [account, namespace]);
  }

  async renameNamespace(address: KvAddress, title: string): Promise<void> {
    await this.#executor.write('renameNamespace', [address, title]);
  }

  async deleteNamespace(address: KvAddress): Promise<void> {
    await this.#executor.write('deleteNamespace', [address]);
  }

  namespace(address: KvAddress): Promise<KvNamespace | undefined> {
    return this.#executor.read('namespace', [address]) as Promise<KvNamespace | undefined>;
  }

  listNamespaces(account: AccountId, page: { offset: number; limit: number }): ReturnType<KvStore['listNamespaces']> {
    return this.#executor.read('listNamespaces', [account, page]) as ReturnType<KvStore['listNamespaces']>;
  }

  read(address: KvAddress, keys: readonly string[], options: { maxBytes: number }): Promise<KvRead> {
    return this.#executor.read('read', [address, keys, options]) as Promise<KvRead>;
  }

  async put(address: KvAddress, entries: readonly KvEntry[]): Promise<void> {
    // A view takes the whole of its buffer along to another thread.
    await this.#executor.write('put', [address, entries.map((entry) => ({ ...entry, value: ownBytes(entry.value) }))]);
  }

  async delete(address: KvAddress, keys: readonly string[]): Promise<void> {
    await this.#executor.write('delete', [address, keys]);
  }

  list(address: KvAddress, range: KvRange): Promise<KvPage> {
    return this.#executor.read('list', [address, range]) as Promise<KvPage>;
  }

  async deleteAccount(account: AccountId): Promise<void> {
    await this.#executor.write('deleteAccount', [account]);
  }

  close(): Promise<void> {
    return this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
