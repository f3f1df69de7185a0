import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { AuditDraft, AuditFilter, AuditLog, AuditRecord } from '../audit.ts';
import type { TokenOwner } from '../tokens.ts';
import { type Database, openDatabase } from './database.ts';
import type { Row } from './rows.ts';

const AUDIT = `
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, account TEXT NOT NULL, actor TEXT NOT NULL,
    token_id TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, ip TEXT NOT NULL, status INTEGER
  ) STRICT;
  CREATE INDEX audit_by_account ON audit (account, id);
  CREATE INDEX audit_unfinished ON audit (id) WHERE status IS NULL;
`;
const UNKNOWN = 0; // stands for a status that nobody will tell any more
const DAY_MS = 86_400_000;
const MAX_ENTRIES = 200_000; // some 40 MB
const MAX_AGE_MS = 400 * DAY_MS; // a year, and the time until somebody asks
const TRIM_EVERY = 500; // entries between two looks at what is too old
const DEFAULT_LIMIT = 100;

const SQL = {
  insert: `INSERT INTO audit (at, account, actor, token_id, action, target, ip) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  end: 'UPDATE audit SET status = ?, target = ifnull(?, target) WHERE id = ? AND status IS NULL',
  giveUp: `UPDATE audit SET status = ${UNKNOWN} WHERE status IS NULL`,
  count: 'SELECT count(*) AS entries FROM audit',
  accounts: 'SELECT account, count(*) AS entries FROM audit GROUP BY account',
  tokens: 'SELECT token_id, count(*) AS entries FROM audit WHERE account = ? GROUP BY token_id',
  trimToken: `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE account = ? AND token_id = ? ORDER BY id LIMIT ?)`,
  // Rows of one day come together: stops at the first that is young enough.
  trimAge: `DELETE FROM audit WHERE id < (SELECT min(id) FROM audit WHERE at >= ?)`,
} as const;

export interface AuditLogOptions {
  readonly maxEntries?: number;
  readonly maxAgeMs?: number;
  /** ms since 1970. */
  readonly now?: () => number;
}

/** The AuditLog in a SQLite file of its own: it is written at each change, and the registry's fsyncs should not wait for it. */
export function openSqliteAuditLog(path: string, options: AuditLogOptions = {}): AuditLog {
  const database = openDatabase(path, { migrations: [{ name: 'audit', sql: AUDIT }], synchronous: 'NORMAL' });
  return new SqliteAuditLog(database, options);
}

class SqliteAuditLog implements AuditLog {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #options: Required<AuditLogOptions>;
  #untilTrim = 0;

  constructor(
    database: Database,
    { maxEntries = MAX_ENTRIES, maxAgeMs = MAX_AGE_MS, now = Date.now }: AuditLogOptions,
  ) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
    this.#options = { maxEntries, maxAgeMs, now };
    this.#statements.giveUp.run();
  }

  async begin({ at, account, actor, tokenId, action, target, ip }: AuditDraft): Promise<number> {
    const { lastInsertRowid } = this.#statements.insert.run(at, account, actor, tokenId, action, target, ip);
    if (this.#untilTrim-- <= 0) this.#trim();
    return Number(lastInsertRowid);
  }

  async end(id: number, status: number, target?: string): Promise<void> {
    this.#statements.end.run(status, target ?? null, id);
  }

  async list(filter: AuditFilter = {}): Promise<AuditRecord[]> {
    const { conditions, values } = toConditions(filter);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const statement = this.#database.handle.prepare(`SELECT * FROM audit ${where} ORDER BY id DESC LIMIT ?`);
    return statement.all(...values, filter.limit ?? DEFAULT_LIMIT).map(toRecord);
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Past the limit, whoever has the most loses first: an account, and of that the token. So nobody writes so much that
   * what others did, or what the operator did to his account, is forgotten.
   */
  #trim(): void {
    const { maxEntries, maxAgeMs, now } = this.#options;
    const { count, accounts, tokens, trimAge, trimToken } = this.#statements;
    this.#untilTrim = Math.min(TRIM_EVERY, maxEntries);
    trimAge.run(now() - maxAgeMs);
    const surplus = Number(count.get()!['entries']) - maxEntries;
    if (surplus <= 0) return;
    for (const [account, most] of toLosses(accounts.all(), surplus, 'account')) {
      for (const [token, entries] of toLosses(tokens.all(account), most, 'token_id')) {
        trimToken.run(account, token, entries);
      }
    }
  }
}

/** How many entries each loses so that `surplus` are gone: the most is taken down to the second, both to the third … */
function toLosses(rows: readonly Row[], surplus: number, key: string): [name: string, entries: number][] {
  const counts = rows
    .map((row) => [String(row[key]), Number(row['entries'])] as const)
    .toSorted(([, a], [, b]) => b - a);
  let left = surplus;
  let level = counts[0]?.[1] ?? 0;
  let above = 1; // how many are at the level
  for (; above <= counts.length && left > 0; above += 1) {
    const step = Math.min(Math.ceil(left / above), level - (counts[above]?.[1] ?? 0));
    left -= step * above;
    level -= step;
  }
  return counts.filter(([, entries]) => entries > level).map(([name, entries]) => [name, entries - level]);
}

function toConditions({ account, actor, action, since, before }: AuditFilter): {
  conditions: string[];
  values: SQLInputValue[];
} {
  const given: { condition: string; values: readonly SQLInputValue[] }[] = [];
  if (account !== undefined) given.push({ condition: 'account = ?', values: [account] });
  if (actor !== undefined) given.push({ condition: 'actor = ?', values: [actor] });
  if (action !== undefined) {
    const condition = `(action = ? OR substr(action, 1, length(?) + 1) = ? || '.')`;
    given.push({ condition, values: [action, action, action] });
  }
  if (since !== undefined) given.push({ condition: 'at >= ?', values: [since] });
  if (before !== undefined) given.push({ condition: 'id < ?', values: [before] });
  return { conditions: given.map(({ condition }) => condition), values: given.flatMap(({ values }) => values) };
}

function toRecord(row: Row): AuditRecord {
  return {
    id: row['id'] as number,
    at: row['at'] as number,
    account: row['account'] as TokenOwner,
    actor: row['actor'] as string,
    tokenId: row['token_id'] as string,
    action: row['action'] as string,
    target: row['target'] as string,
    ip: row['ip'] as string,
    status: toStatus(row['status']),
  };
}

function toStatus(status: unknown): AuditRecord['status'] {
  if (status === null) return 'pending';
  return status === UNKNOWN ? 'unknown' : (status as number);
}
