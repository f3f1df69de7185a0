import type { StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import type { Page } from '../registry.ts';
import type { Scope, TokenDraft, TokenHash, TokenOwner, TokenRecord, Tokens } from '../tokens.ts';
import type { Database } from './database.ts';
import { type Row, toIsoTime, toMs } from './rows.ts';

const FLUSH_MS = 5_000; // how long uses are gathered: one write, and one fsync, for all tokens together
const DEFAULT_PAGE = 100;

const SQL = {
  hasAccount: `SELECT 1 FROM accounts WHERE id = ? AND status <> 'deleting'`,
  insert: `INSERT INTO tokens (id, hash, owner, name, scopes, created_on, expires_on) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  byHash: 'SELECT * FROM tokens WHERE hash = ?',
  byId: 'SELECT * FROM tokens WHERE id = ?',
  list: 'SELECT * FROM tokens WHERE ?1 IS NULL OR owner = ?1 ORDER BY owner, name, id LIMIT ?2 OFFSET ?3',
  count: 'SELECT count(*) AS n FROM tokens WHERE ?1 IS NULL OR owner = ?1',
  delete: 'DELETE FROM tokens WHERE id = ? RETURNING hash',
  deleteGrants: 'DELETE FROM grants WHERE parent = ?',
  markUsed: 'UPDATE tokens SET last_used_on = max(ifnull(last_used_on, 0), ?) WHERE id = ?',
} as const;

export class SqliteTokens implements Tokens {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  /** Uses that are not in the file yet, ms by id. */
  readonly #used = new Map<string, number>();
  #flushing: NodeJS.Timeout | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
  }

  async create(draft: TokenDraft, hash: TokenHash): Promise<TokenRecord> {
    const { id, owner, name, scopes, createdOn, expiresOn } = draft;
    if (owner !== '*' && this.#statements.hasAccount.get(owner) === undefined) {
      throw new PlatformError('notFound', `There is no account '${owner}'`);
    }
    const expiresMs = expiresOn === undefined ? null : toMs(expiresOn);
    this.#statements.insert.run(id, hash, owner, name, JSON.stringify(scopes), toMs(createdOn), expiresMs);
    return this.#toToken(this.#statements.byId.get(id)!);
  }

  async find(hash: TokenHash): Promise<TokenRecord | undefined> {
    const row = this.#statements.byHash.get(hash);
    return row && this.#toToken(row);
  }

  async list({ owner, limit = DEFAULT_PAGE, offset = 0 }: Page & { owner?: TokenOwner } = {}): Promise<{
    tokens: TokenRecord[];
    total: number;
  }> {
    const rows = this.#statements.list.all(owner ?? null, limit, offset);
    const total = Number(this.#statements.count.get(owner ?? null)!['n']);
    return { tokens: rows.map((row) => this.#toToken(row)), total };
  }

  async revoke(id: string, { owner }: { owner?: TokenOwner } = {}): Promise<TokenRecord> {
    return this.#database.transact(() => {
      const row = this.#statements.byId.get(id);
      if (row === undefined || (owner !== undefined && row['owner'] !== owner)) {
        throw new PlatformError('notFound', `There is no token '${id}'`);
      }
      this.#statements.delete.run(id);
      this.#statements.deleteGrants.run(row['hash']!);
      return this.#toToken(row);
    });
  }

  async markUsed(id: string, usedOn: string): Promise<void> {
    this.#used.set(id, Math.max(this.#used.get(id) ?? 0, toMs(usedOn)));
    this.#flushing ??= setTimeout(() => this.#tryToFlush(), FLUSH_MS).unref();
  }

  /** Writes down what has been gathered. */
  flush(): void {
    clearTimeout(this.#flushing);
    this.#flushing = undefined;
    if (this.#used.size === 0) return;
    this.#database.transact(() => {
      for (const [id, ms] of this.#used) this.#statements.markUsed.run(ms, id);
    });
    this.#used.clear();
  }

  #tryToFlush(): void {
    try {
      this.flush();
    } catch {
      // The disk is full, say. What was gathered stays for the next time; nobody waits for it.
    }
  }

  #toToken(row: Row): TokenRecord {
    const id = row['id'] as string;
    const usedMs = Math.max(Number(row['last_used_on'] ?? 0), this.#used.get(id) ?? 0);
    return {
      id,
      owner: row['owner'] as TokenOwner,
      name: row['name'] as string,
      scopes: JSON.parse(row['scopes'] as string) as Scope[],
      createdOn: toIsoTime(row['created_on']),
      ...(row['expires_on'] !== null && { expiresOn: toIsoTime(row['expires_on']) }),
      ...(usedMs > 0 && { lastUsedOn: toIsoTime(usedMs) }),
    };
  }
}
