import type { StatementSync } from 'node:sqlite';
import type { AccountId } from '../../ids.ts';
import type { ExportKey, ExportProgress, Exports } from '../exports.ts';
import { type Database, openDatabase } from './database.ts';

const EXPORTS = `
  CREATE TABLE exports (
    account TEXT NOT NULL, month TEXT NOT NULL, meter TEXT NOT NULL, exported INTEGER NOT NULL,
    identifier TEXT, value INTEGER, at INTEGER, unknown_since INTEGER, PRIMARY KEY (account, month, meter)
  ) STRICT, WITHOUT ROWID;
`;

const SQL = {
  get: 'SELECT * FROM exports WHERE account = ? AND month = ? AND meter = ?',
  put: 'INSERT OR REPLACE INTO exports VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  deleteAccount: 'DELETE FROM exports WHERE account = ?',
} as const;

/** The Exports in a SQLite file of its own. */
export function openSqliteExports(path: string): Exports {
  return new SqliteExports(openDatabase(path, { migrations: [{ name: 'exports', sql: EXPORTS }] }));
}

class SqliteExports implements Exports {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
  }

  async get({ account, month, meter }: ExportKey): Promise<ExportProgress> {
    const row = this.#statements.get.get(account, month, meter);
    if (row === undefined) return { exported: 0 };
    const { exported, identifier, value, at, unknown_since: since } = row;
    if (identifier === null) return { exported: exported as number };
    const pending = { identifier: identifier as string, value: value as number, at: at as number };
    return {
      exported: exported as number,
      pending: since === null ? pending : { ...pending, unknownSince: since as number },
    };
  }

  async put({ account, month, meter }: ExportKey, { exported, pending }: ExportProgress): Promise<void> {
    const { identifier = null, value = null, at = null, unknownSince = null } = pending ?? {};
    this.#statements.put.run(account, month, meter, exported, identifier, value, at, unknownSince);
  }

  async deleteAccount(account: AccountId): Promise<void> {
    this.#statements.deleteAccount.run(account);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
