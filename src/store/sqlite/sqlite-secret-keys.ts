import type { StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import type { AccountId, VersionId, WorkerName } from '../../ids.ts';
import type { StoredBinding } from '../../model.ts';
import {
  type DataKeyId,
  type ResealedVersion,
  type SealedVersion,
  type SecretKeys,
  type SecretKeysState,
  StaleKeyError,
  type WrappedKey,
} from '../secret-keys.ts';
import type { Database } from './database.ts';
import type { Row } from './rows.ts';

const SQL = {
  meta: 'SELECT value FROM meta WHERE key = ?',
  setMeta: 'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  find: 'SELECT * FROM secret_keys WHERE id = ?',
  current: `SELECT * FROM secret_keys
    WHERE account = ? AND generation = (SELECT value FROM meta WHERE key = 'keyGeneration')`,
  insert: `INSERT INTO secret_keys (id, account, generation, wrapped)
    SELECT ?, id, (SELECT value FROM meta WHERE key = 'keyGeneration'), ? FROM accounts WHERE id = ? AND status <> 'deleting'
    ON CONFLICT (account, generation) DO NOTHING`,
  nextGeneration: `UPDATE meta SET value = value + 1 WHERE key = 'keyGeneration' RETURNING value`,
  countOutdated: `SELECT count(*) AS n FROM secret_keys k JOIN versions v ON v.secrets_key = k.id
    WHERE k.generation < (SELECT value FROM meta WHERE key = 'keyGeneration')`,
  listOutdated: `SELECT v.id, v.record, v.secrets_key, w.account, w.name
    FROM secret_keys k JOIN versions v ON v.secrets_key = k.id JOIN workers w ON w.id = v.worker
    WHERE k.generation < (SELECT value FROM meta WHERE key = 'keyGeneration') LIMIT ?`,
  record: 'SELECT record FROM versions WHERE id = ? AND secrets_key = ?',
  reseal: 'UPDATE versions SET record = ?, secrets_key = ? WHERE id = ?',
  dropOutdated: `DELETE FROM secret_keys WHERE generation < (SELECT value FROM meta WHERE key = 'keyGeneration')
    AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.secrets_key = secret_keys.id)`,
  all: 'SELECT * FROM secret_keys',
  rewrap: 'UPDATE secret_keys SET wrapped = ? WHERE id = ?',
} as const;

export class SqliteSecretKeys implements SecretKeys {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.handle.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  async state(): Promise<SecretKeysState> {
    return {
      masterKeyId: this.#masterKeyId(),
      generation: Number(this.#statements.meta.get('keyGeneration')!['value']),
    };
  }

  async find(id: DataKeyId): Promise<WrappedKey | undefined> {
    const row = this.#statements.find.get(id);
    return row && toWrappedKey(row);
  }

  async current(account: AccountId): Promise<WrappedKey | undefined> {
    const row = this.#statements.current.get(account);
    return row && toWrappedKey(row);
  }

  async ensure({ id, account, wrapped }: WrappedKey, masterKeyId: string): Promise<WrappedKey> {
    return this.#database.transact(() => {
      if (this.#masterKeyId() !== masterKeyId)
        throw new StaleKeyError('Cannot store a data key: its master key was replaced');
      this.#statements.insert.run(id, wrapped, account);
      const row = this.#statements.current.get(account);
      if (row === undefined) throw new PlatformError('notFound', `There is no account '${account}'`);
      return toWrappedKey(row);
    });
  }

  async nextGeneration(): Promise<number> {
    return Number(this.#statements.nextGeneration.get()!['value']);
  }

  async countOutdated(): Promise<number> {
    return Number(this.#statements.countOutdated.get()!['n']);
  }

  async listOutdated(limit: number): Promise<SealedVersion[]> {
    return this.#statements.listOutdated.all(limit).map(toSealedVersion);
  }

  async reseal(versions: readonly ResealedVersion[]): Promise<void> {
    this.#database.transact(() => {
      for (const { id, from, to, bindings } of versions) {
        const row = this.#statements.record.get(id, from);
        if (row === undefined) continue;
        const record = parseRecord(row);
        this.#statements.reseal.run(JSON.stringify({ ...record, spec: { ...record.spec, bindings } }), to, id);
      }
    });
  }

  async dropOutdated(): Promise<number> {
    const { handle } = this.#database;
    // Overwritten in the file and gone from the log: an old key must not be found there by whoever has a copy of the
    // master key and of what was sealed with it.
    handle.exec('PRAGMA secure_delete = ON');
    try {
      const { changes } = this.#statements.dropOutdated.run();
      handle.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return Number(changes);
    } finally {
      handle.exec('PRAGMA secure_delete = OFF');
    }
  }

  async rewrap(masterKeyId: string, wrap: (key: WrappedKey) => string): Promise<void> {
    this.#database.transact(() => {
      for (const row of this.#statements.all.all()) {
        const key = toWrappedKey(row);
        this.#statements.rewrap.run(wrap(key), key.id);
      }
      this.#statements.setMeta.run('masterKeyId', masterKeyId);
    });
  }

  #masterKeyId(): string | undefined {
    return this.#statements.meta.get('masterKeyId')?.['value'] as string | undefined;
  }
}

function toWrappedKey(row: Row): WrappedKey {
  return { id: row['id'] as DataKeyId, account: row['account'] as AccountId, wrapped: row['wrapped'] as string };
}

function toSealedVersion(row: Row): SealedVersion {
  return {
    id: row['id'] as VersionId,
    account: row['account'] as AccountId,
    worker: row['name'] as WorkerName,
    secretsKey: row['secrets_key'] as DataKeyId,
    bindings: parseRecord(row).spec.bindings,
  };
}

function parseRecord(row: Row): { spec: { bindings: StoredBinding[] } } {
  return JSON.parse(row['record'] as string) as { spec: { bindings: StoredBinding[] } };
}
