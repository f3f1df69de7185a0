import type { StatementSync } from 'node:sqlite';
import { PlatformError } from '../../../errors.ts';
import type { AccountId } from '../../../ids.ts';
import { MAX_ACCOUNT_KV_BYTES, MAX_KV_NAMESPACES } from '../../../limits.ts';
import type { KvAddress, KvEntry, KvKey, KvNamespace, KvPage, KvRange, KvRead } from '../../kv.ts';
import type { Database } from '../database.ts';
import type { Row } from '../rows.ts';

const FRESH = '(expires_at IS NULL OR expires_at > ?)';

const SQL = {
  find: 'SELECT number, bytes FROM namespaces WHERE id = ? AND account = ?',
  namespace: 'SELECT id, title FROM namespaces WHERE id = ? AND account = ?',
  titled: 'SELECT id FROM namespaces WHERE account = ? AND title = ?',
  listNamespaces: 'SELECT id, title FROM namespaces WHERE account = ? ORDER BY title LIMIT ? OFFSET ?',
  countNamespaces: 'SELECT count(*) AS n FROM namespaces WHERE account = ?',
  createNamespace: 'INSERT INTO namespaces (id, account, title) VALUES (?, ?, ?)',
  renameNamespace: 'UPDATE namespaces SET title = ? WHERE number = ?',
  buryNamespace: 'INSERT INTO deleted_namespaces (number) VALUES (?)',
  deleteNamespace: 'DELETE FROM namespaces WHERE number = ?',
  buryAccount: 'INSERT INTO deleted_namespaces (number) SELECT number FROM namespaces WHERE account = ?',
  deleteAccount: 'DELETE FROM namespaces WHERE account = ?',

  size: `SELECT bytes FROM entries WHERE namespace = ? AND key = ? AND ${FRESH}`,
  get: `SELECT key, value, metadata, expires_at FROM entries WHERE namespace = ? AND key = ? AND ${FRESH}`,
  old: 'SELECT bytes FROM entries WHERE namespace = ? AND key = ?',
  put: `INSERT INTO entries (namespace, key, metadata, expires_at, bytes, value) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (namespace, key) DO UPDATE SET metadata = excluded.metadata, expires_at = excluded.expires_at,
    bytes = excluded.bytes, value = excluded.value`,
  delete: 'DELETE FROM entries WHERE namespace = ? AND key = ? RETURNING bytes',
  accountBytes: 'SELECT sum(bytes) AS bytes FROM namespaces WHERE account = ?',
  addBytes: 'UPDATE namespaces SET bytes = bytes + ? WHERE number = ?',
  list: `SELECT key, metadata, expires_at FROM entries WHERE namespace = ? AND key > ? AND key >= ? AND ${FRESH}
    ORDER BY key LIMIT ?`,
  listWithin: `SELECT key, metadata, expires_at FROM entries WHERE namespace = ? AND key > ? AND key >= ? AND ${FRESH}
    AND key < ? ORDER BY key LIMIT ?`,

  sweepExpired: `DELETE FROM entries WHERE number IN
    (SELECT number FROM entries WHERE expires_at <= ? LIMIT ?) RETURNING namespace, bytes`,
  anyDeleted: 'SELECT number FROM deleted_namespaces LIMIT 1',
  sweepDeleted: 'DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE namespace = ? LIMIT ?)',
  forgetDeleted: 'DELETE FROM deleted_namespaces WHERE number = ?',
} as const;

/** What threads and adapters ask for by name. */
export type KvOperation = Exclude<keyof KvTables, 'sweep'>;

/** The namespaces and entries of an open file. Everything runs in one go; who writes puts a transaction around it. */
export class KvTables {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #now: () => number;

  /** `now`: ms since 1970. */
  constructor(database: Database, now: () => number) {
    this.#statements = database.prepare(SQL);
    this.#now = now;
  }

  createNamespace(account: AccountId, { id, title }: KvNamespace): void {
    const { titled, countNamespaces, createNamespace } = this.#statements;
    if (titled.get(account, title) !== undefined) throw exists(title);
    if (Number(countNamespaces.get(account)!['n']) >= MAX_KV_NAMESPACES) {
      throw new PlatformError(
        'kvLimit',
        `Cannot create KV namespace "${title}": the account has ${MAX_KV_NAMESPACES}, which is the limit`,
      );
    }
    createNamespace.run(id, account, title);
  }

  renameNamespace(address: KvAddress, title: string): void {
    const { number } = this.#find(address);
    const other = this.#statements.titled.get(address.account, title)?.['id'];
    if (other !== undefined && other !== address.namespace) throw exists(title);
    this.#statements.renameNamespace.run(title, number);
  }

  deleteNamespace(address: KvAddress): void {
    const { number } = this.#find(address);
    this.#statements.buryNamespace.run(number);
    this.#statements.deleteNamespace.run(number);
  }

  namespace({ account, namespace }: KvAddress): KvNamespace | undefined {
    const row = this.#statements.namespace.get(namespace, account);
    return row && toNamespace(row);
  }

  listNamespaces(
    account: AccountId,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ): { namespaces: KvNamespace[]; total: number } {
    const namespaces = this.#statements.listNamespaces.all(account, limit, offset).map(toNamespace);
    return { namespaces, total: Number(this.#statements.countNamespaces.get(account)!['n']) };
  }

  deleteAccount(account: AccountId): void {
    this.#statements.buryAccount.run(account);
    this.#statements.deleteAccount.run(account);
  }

  read(address: KvAddress, keys: readonly string[], { maxBytes }: { readonly maxBytes: number }): KvRead {
    const { number } = this.#find(address);
    const now = this.#seconds();
    const stored = keys.map(toBytes);
    let bytes = 0;
    for (const key of stored) bytes += Number(this.#statements.size.get(number, key, now)?.['bytes'] ?? 0);
    if (bytes > maxBytes) return { tooLarge: bytes };
    return {
      entries: stored.map((key) => {
        const row = this.#statements.get.get(number, key, now);
        return row && { ...toKey(row), value: row['value'] as Uint8Array };
      }),
    };
  }

  put(address: KvAddress, entries: readonly KvEntry[]): void {
    const { number } = this.#find(address);
    let added = 0;
    for (const { key, value, metadata = null, expiresAt = null } of entries) {
      const stored = toBytes(key);
      const bytes = stored.byteLength + value.byteLength + Buffer.byteLength(metadata ?? '');
      added += bytes - Number(this.#statements.old.get(number, stored)?.['bytes'] ?? 0);
      this.#statements.put.run(number, stored, metadata, expiresAt, bytes, value);
    }
    this.#statements.addBytes.run(added, number);
    // Behind the writes, which are undone when this throws: the same key may be among the entries twice.
    const total = Number(this.#statements.accountBytes.get(address.account)!['bytes']);
    if (added > 0 && total > MAX_ACCOUNT_KV_BYTES) {
      throw new PlatformError(
        'kvFull',
        `Cannot put: the account would have ${total} bytes in KV, limit is ${MAX_ACCOUNT_KV_BYTES}`,
      );
    }
  }

  delete(address: KvAddress, keys: readonly string[]): void {
    const { number } = this.#find(address);
    let removed = 0;
    for (const key of keys) removed += Number(this.#statements.delete.get(number, toBytes(key))?.['bytes'] ?? 0);
    if (removed > 0) this.#statements.addBytes.run(-removed, number);
  }

  list(address: KvAddress, { prefix, after = '', limit }: KvRange): KvPage {
    const { number } = this.#find(address);
    const from = [number, toBytes(after), toBytes(prefix), this.#seconds()] as const;
    const rows =
      prefix === ''
        ? this.#statements.list.all(...from, limit + 1)
        : this.#statements.listWithin.all(...from, toEnd(toBytes(prefix)), limit + 1);
    return { keys: rows.slice(0, limit).map(toKey), more: rows.length > limit };
  }

  /** Removes up to `limit` entries that nobody can find any more. False when there are no more of them. */
  sweep(limit: number): boolean {
    const { sweepExpired, addBytes, anyDeleted, sweepDeleted, forgetDeleted } = this.#statements;
    const expired = sweepExpired.all(this.#seconds(), limit);
    for (const { namespace, bytes } of expired) addBytes.run(-Number(bytes), namespace!);
    const deleted = anyDeleted.get()?.['number'];
    if (deleted === undefined) return expired.length === limit;
    if (Number(sweepDeleted.run(deleted, limit).changes) < limit) forgetDeleted.run(deleted);
    return true;
  }

  #find({ account, namespace }: KvAddress): { number: number } {
    const row = this.#statements.find.get(namespace, account);
    if (row !== undefined) return { number: Number(row['number']) };
    throw new PlatformError('kvNamespaceNotFound', `There is no KV namespace '${namespace.slice(0, 100)}'`);
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }
}

function exists(title: string): PlatformError {
  return new PlatformError('kvNamespaceExists', `A KV namespace with the title "${title}" already exists`);
}

function toNamespace(row: Row): KvNamespace {
  return { id: String(row['id']), title: String(row['title']) };
}

function toKey({ key, metadata, expires_at: expiresAt }: Row): KvKey {
  return {
    key: Buffer.from(key as Uint8Array).toString('utf8'),
    ...(typeof metadata === 'string' && { metadata }),
    ...(expiresAt !== null && { expiresAt: Number(expiresAt) }),
  };
}

function toBytes(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** The first bytes behind all that begin with these: UTF-8 has no byte 0xff. */
function toEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.byteLength - 1]! += 1;
  return end;
}
