import type { StatementSync } from 'node:sqlite';
import type { Grant, Grants } from '../grants.ts';
import type { Scope, TokenHash } from '../tokens.ts';
import type { Database } from './database.ts';
import { type Row, toIsoTime, toMs } from './rows.ts';

const SQL = {
  insert: `INSERT INTO grants (
      id, parent, client, scopes, requested, created_on,
      access_hash, access_expires_on, refresh_hash, refresh_expires_on
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  byAccess: 'SELECT * FROM grants WHERE access_hash = ?',
  byRefresh: 'SELECT * FROM grants WHERE refresh_hash = ?',
  bySpent: 'SELECT * FROM grants WHERE spent_hash = ?',
  rotate: `UPDATE grants SET spent_hash = refresh_hash,
      access_hash = ?, access_expires_on = ?, refresh_hash = ?, refresh_expires_on = ?
    WHERE id = ? AND refresh_hash = ?`,
  delete: 'DELETE FROM grants WHERE id = ?',
  sweep: 'DELETE FROM grants WHERE refresh_expires_on <= ?',
} as const;

export class SqliteGrants implements Grants {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#statements = database.prepare(SQL);
  }

  async create({ id, parent, client, scopes, requested, createdOn, access, refresh }: Grant): Promise<void> {
    const times = [access.hash, toMs(access.expiresOn), refresh.hash, toMs(refresh.expiresOn)];
    this.#statements.insert.run(id, parent, client, JSON.stringify(scopes), requested, toMs(createdOn), ...times);
  }

  async findByAccess(hash: TokenHash): Promise<Grant | undefined> {
    return toGrant(this.#statements.byAccess.get(hash));
  }

  async findByRefresh(hash: TokenHash): Promise<Grant | undefined> {
    return toGrant(this.#statements.byRefresh.get(hash));
  }

  async findBySpent(hash: TokenHash): Promise<Grant | undefined> {
    return toGrant(this.#statements.bySpent.get(hash));
  }

  async rotate(id: string, from: TokenHash, { access, refresh }: Pick<Grant, 'access' | 'refresh'>): Promise<boolean> {
    const times = [access.hash, toMs(access.expiresOn), refresh.hash, toMs(refresh.expiresOn)];
    return this.#statements.rotate.run(...times, id, from).changes === 1;
  }

  async revoke(id: string): Promise<void> {
    this.#statements.delete.run(id);
  }

  async sweep(now: string): Promise<void> {
    this.#statements.sweep.run(toMs(now));
  }
}

function toGrant(row: Row | undefined): Grant | undefined {
  if (row === undefined) return undefined;
  return {
    id: row['id'] as string,
    parent: row['parent'] as TokenHash,
    client: row['client'] as string,
    scopes: JSON.parse(row['scopes'] as string) as Scope[],
    requested: row['requested'] as string,
    createdOn: toIsoTime(row['created_on']),
    access: { hash: row['access_hash'] as TokenHash, expiresOn: toIsoTime(row['access_expires_on']) },
    refresh: { hash: row['refresh_hash'] as TokenHash, expiresOn: toIsoTime(row['refresh_expires_on']) },
  };
}
