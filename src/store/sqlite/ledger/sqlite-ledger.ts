import type { AccountId } from '../../../ids.ts';
import type { Ledger, UsageBatch, UsageQuery, UsageSum } from '../../ledger.ts';
import { DatabaseThread } from '../database-thread.ts';
import { type LedgerOperation, LedgerTables } from './ledger-tables.ts';
import { openLedgerDatabase } from './open-database.ts';

/** Runs an operation of LedgerTables in a transaction, wherever the file is open. */
interface Executor {
  ask(operation: LedgerOperation, parameters: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens the ledger in a file of its own, on a thread of its own: its fsyncs come twice a second. */
export async function openSqliteLedger(path: string): Promise<Ledger> {
  const module = new URL('./ledger-thread.ts', import.meta.url);
  return new SqliteLedger(await DatabaseThread.start<LedgerOperation>(module, { name: 'ledger', path, mode: 'write' }));
}

/** The same in this thread, for tests. `now`: ms since 1970. */
export function openInlineLedger(path = ':memory:', now: () => number = Date.now): Ledger {
  const database = openLedgerDatabase(path);
  const tables = new LedgerTables(database, now);
  return new SqliteLedger({
    ask: async (operation, parameters) =>
      database.transact(() =>
        (tables[operation] as (...parameters: readonly unknown[]) => unknown).apply(tables, [...parameters]),
      ),
    close: async () => database.close(),
  });
}

class SqliteLedger implements Ledger {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  take(batch: UsageBatch): Promise<boolean> {
    return this.#executor.ask('take', [batch]) as Promise<boolean>;
  }

  sums(query: UsageQuery, limit: number): Promise<readonly UsageSum[]> {
    return this.#executor.ask('sums', [query, limit]) as Promise<readonly UsageSum[]>;
  }

  async deleteAccount(account: AccountId): Promise<void> {
    await this.#executor.ask('deleteAccount', [account]);
  }

  close(): Promise<void> {
    return this.#executor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
