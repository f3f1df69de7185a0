import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { toAsciiJson } from '../../../ascii-json.ts';
import type { AccountId } from '../../../ids.ts';
import { parseLogLine, toSearchable } from '../../log-line.ts';
import type { LogEntry, LogPage, LogQuery, LogQuota, StoredLogEntry } from '../../logs.ts';
import type { Database } from '../database.ts';
import { toMatch, toOwner, toTerms } from './search-terms.ts';

const IDS_PER_MS = 4_096;
const DAY_MS = 86_400_000;
const ENTRY_BYTES = 512; // what one costs beside its text
const TEXT_COST = 2; // the index of a text is as large as the text
const SCAN_MS = 500; // of looking at entries that are not wanted; who asked may go on from there
const CHUNK = 500; // entries removed between two looks

const SQL = {
  account: 'SELECT number FROM accounts WHERE id = ?',
  addAccount: 'INSERT INTO accounts (id) VALUES (?) RETURNING number',
  addBytes: 'UPDATE accounts SET bytes = bytes + ? WHERE number = ?',
  bytes: 'SELECT bytes FROM accounts WHERE number = ?',
  totalBytes: 'SELECT ifnull(sum(bytes), 0) AS bytes FROM accounts',
  largest: 'SELECT number, bytes FROM accounts ORDER BY bytes DESC LIMIT 1',
  buryAccount: 'INSERT INTO deleted_accounts (number) SELECT number FROM accounts WHERE id = ?',
  deleteAccount: 'DELETE FROM accounts WHERE id = ?',
  anyDeleted: 'SELECT number FROM deleted_accounts LIMIT 1',
  forgetDeleted: 'DELETE FROM deleted_accounts WHERE number = ?',
  lastId: 'SELECT ifnull(max(id), 0) AS id FROM entries',
  insert: 'INSERT INTO entries (id, account, worker, outcome, bytes, entry) VALUES (?, ?, ?, ?, ?, ?)',
  index: 'INSERT INTO texts (rowid, text) VALUES (?, ?)',
  delete: 'DELETE FROM entries WHERE id = ?',
  unindex: 'DELETE FROM texts WHERE rowid = ?',
  oldestOf: 'SELECT id, account, bytes FROM entries WHERE account = ? ORDER BY id LIMIT ?',
  expired: 'SELECT id, account, bytes FROM entries WHERE id < ? ORDER BY id LIMIT ?',
} as const;

/** A record on its way in. */
export interface LogDraft {
  readonly account: AccountId;
  readonly line: string;
  /** Those of the account that were left out since its last one. */
  readonly dropped: number;
}

/**
 * The entries of an open file. Everything runs in one go; who writes puts a transaction around it. Statements never `run`,
 * which answers with the last row id: that may be one of FTS5's own tables, which no number holds, and then it throws.
 */
export class LogTables {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #quota: LogQuota;
  readonly #now: () => number;
  #lastId: number;

  /** `now`: ms since 1970. */
  constructor(database: Database, { quota, now }: { quota: LogQuota; now: () => number }) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
    this.#quota = quota;
    this.#now = now;
    this.#lastId = Number(this.#statements.lastId.get()!['id']);
  }

  append(drafts: readonly LogDraft[]): void {
    const touched = new Set<number>();
    for (const { account, line, dropped } of drafts) {
      const entry = parseLogLine(line);
      if (entry === undefined) continue;
      const number = this.#numberOf(account) ?? Number(this.#statements.addAccount.get(account)!['number']);
      this.#insert(number, { ...entry, dropped: entry.dropped + dropped });
      touched.add(number);
    }
    // At once, so that however fast they come there is never more than was allowed and these.
    for (const number of touched) this.#trim(number, this.#bytesOf(number) - this.#quota.accountBytes);
    this.#trimTotal();
  }

  list(account: AccountId, { text = '', limit, ...query }: LogQuery): LogPage {
    const number = this.#numberOf(account);
    if (number === undefined) return { entries: [] };
    const terms = toTerms(text);
    const entries: StoredLogEntry[] = [];
    const deadline = performance.now() + SCAN_MS;
    for (const row of this.#find(number, query, toMatch(number, terms))) {
      const id = Number(row['id']);
      const entry = JSON.parse(String(row['entry'])) as LogEntry;
      const searched = terms.length === 0 ? '' : toSearchable(entry).toLowerCase();
      if (terms.every((term) => searched.includes(term))) entries.push({ ...entry, id });
      if (entries.length === limit || performance.now() > deadline) return { entries, next: id };
    }
    return { entries };
  }

  deleteAccount(account: AccountId): void {
    this.#statements.buryAccount.all(account);
    this.#statements.deleteAccount.all(account);
  }

  /** Removes some of what is too old, too much or nobody's. False when there is no more of it. */
  sweep(): boolean {
    const { expired, anyDeleted, oldestOf, forgetDeleted, largest } = this.#statements;
    const until = (this.#now() - this.#quota.days * DAY_MS) * IDS_PER_MS;
    const old = until > 0 ? expired.all(until, CHUNK) : [];
    for (const row of old) this.#remove(row);
    if (old.length === CHUNK) return true;
    const deleted = anyDeleted.get()?.['number'];
    if (deleted !== undefined) {
      const rows = oldestOf.all(deleted, CHUNK);
      for (const row of rows) this.#remove(row);
      if (rows.length < CHUNK) forgetDeleted.all(deleted);
      return true;
    }
    // The quota was larger before.
    const most = largest.get();
    const excess = Number(most?.['bytes'] ?? 0) - this.#quota.accountBytes;
    return (excess > 0 && this.#trim(Number(most?.['number']), excess)) || this.#trimTotal();
  }

  #insert(account: number, entry: LogEntry): void {
    const { insert, index, addBytes } = this.#statements;
    const id = (this.#lastId = Math.max(this.#lastId + 1, this.#now() * IDS_PER_MS));
    const text = toAsciiJson(entry);
    const bytes = ENTRY_BYTES + TEXT_COST * text.length;
    insert.all(id, account, entry.worker, entry.outcome, bytes, text);
    index.all(id, `${toSearchable(entry)}\n${toOwner(account)}`);
    addBytes.all(bytes, account);
  }

  /** Newest first. */
  #find(
    account: number,
    { worker, outcome, since, until, after, before }: Omit<LogQuery, 'limit' | 'text'>,
    match: string | undefined,
  ): Iterable<Record<string, unknown>> {
    const conditions: [condition: string, value: SQLInputValue | undefined][] = [
      ['texts MATCH ?', match],
      ['account = ?', account],
      ['worker = ?', worker],
      ['outcome = ?', outcome],
      [match === undefined ? 'id >= ?' : 'texts.rowid >= ?', since && toId(since)],
      [match === undefined ? 'id < ?' : 'texts.rowid < ?', until && toId(until)],
      [match === undefined ? 'id > ?' : 'texts.rowid > ?', after],
      [match === undefined ? 'id < ?' : 'texts.rowid < ?', before],
    ];
    const given = conditions.filter(([, value]) => value !== undefined);
    const from = match === undefined ? 'entries' : 'texts CROSS JOIN entries ON entries.id = texts.rowid';
    const order = match === undefined ? 'id' : 'texts.rowid';
    const where = given.map(([condition]) => condition).join(' AND ');
    const sql = `SELECT id, entry FROM ${from} WHERE ${where} ORDER BY ${order} DESC`;
    return this.#database.handle.prepare(sql).iterate(...given.map(([, value]) => value!));
  }

  #numberOf(account: AccountId): number | undefined {
    const row = this.#statements.account.get(account);
    return row && Number(row['number']);
  }

  #bytesOf(account: number): number {
    return Number(this.#statements.bytes.get(account)?.['bytes'] ?? 0);
  }

  #trimTotal(): boolean {
    const excess = Number(this.#statements.totalBytes.get()!['bytes']) - this.#quota.totalBytes;
    return excess > 0 && this.#trim(Number(this.#statements.largest.get()!['number']), excess);
  }

  /** Removes the account's oldest until so much is gone. Whether something was removed. */
  #trim(account: number, excess: number): boolean {
    let left = excess;
    while (left > 0) {
      const rows = this.#statements.oldestOf.all(account, CHUNK);
      if (rows.length === 0) return false;
      for (const row of rows) {
        if (left > 0) left -= this.#remove(row);
      }
    }
    return excess > 0;
  }

  #remove({ id, account, bytes }: Record<string, SQLInputValue | undefined>): number {
    this.#statements.unindex.all(id!);
    this.#statements.delete.all(id!);
    this.#statements.addBytes.all(-Number(bytes), account!);
    return Number(bytes);
  }
}

function toId(ms: number): number {
  return ms * IDS_PER_MS;
}
