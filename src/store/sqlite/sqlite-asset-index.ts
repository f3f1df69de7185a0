import type { StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import type { AccountId, Sha256, WorkerName } from '../../ids.ts';
import type { AssetEntry, AssetIndex, AssetQuota, AssetUpload, UploadManifest } from '../asset-index.ts';
import type { Database } from './database.ts';
import { type Row, toIsoTime, toMs } from './rows.ts';

// A version may be stored a little after the time of its upload was over: until then its files must not be forgotten.
const FORGET_AFTER_MS = 3_600_000;

const SQL = {
  find: 'SELECT * FROM assets WHERE account = ? AND hash = ?',
  insert: 'INSERT INTO assets (account, hash, sha256, bytes, type) VALUES (?, ?, ?, ?, ?)',
  setType: 'UPDATE assets SET type = ? WHERE account = ? AND hash = ?',
  usage: 'SELECT files, bytes FROM asset_usage WHERE account = ?',
  setUsage: `INSERT INTO asset_usage (account, files, bytes) VALUES (?, ?, ?)
    ON CONFLICT (account) DO UPDATE SET files = excluded.files, bytes = excluded.bytes`,
  all: 'SELECT * FROM assets WHERE account = ?',
  remove: 'DELETE FROM assets WHERE account = ? AND hash = ?',
  removeAll: 'DELETE FROM assets WHERE account = ?',
  removeUsage: 'DELETE FROM asset_usage WHERE account = ?',

  uploads: 'SELECT * FROM asset_uploads WHERE account = ?',
  upload: 'SELECT * FROM asset_uploads WHERE account = ? AND id = ? AND expires_on > ?',
  expired: 'SELECT id FROM asset_uploads WHERE expires_on <= ? LIMIT 100',
  begin: 'INSERT INTO asset_uploads (id, account, worker, expires_on, manifest) VALUES (?, ?, ?, ?, ?)',
  removeUpload: 'DELETE FROM asset_uploads WHERE id = ?',
  want: 'INSERT INTO asset_wanted (upload, hash, bytes, done) VALUES (?, ?, ?, 0)',
  wanted: 'SELECT bytes FROM asset_wanted WHERE upload = ? AND hash = ?',
  done: 'UPDATE asset_wanted SET done = 1 WHERE upload = ? AND hash = ?',
  isMissing: 'SELECT EXISTS (SELECT 1 FROM asset_wanted WHERE upload = ? AND done = 0) AS missing',
  removeWanted: 'DELETE FROM asset_wanted WHERE upload = ?',
} as const;

/** The AssetIndex in the registry's file. */
export class SqliteAssetIndex implements AssetIndex {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
  }

  async find(account: AccountId, hashes: readonly string[]): Promise<Map<string, AssetEntry>> {
    const rows = hashes.map((hash) => this.#statements.find.get(account, hash));
    return new Map(rows.flatMap((row) => (row === undefined ? [] : [[String(row['hash']), toEntry(row)] as const])));
  }

  async usage(account: AccountId): Promise<AssetQuota> {
    return this.#usage(account);
  }

  async forgetUnused(account: AccountId, isUsed: (entry: AssetEntry) => boolean): Promise<number> {
    return this.#database.transact(() => {
      const awaited = new Set(
        this.#statements.uploads
          .all(account)
          .flatMap((row) => Object.values(toUpload(row).manifest).map(({ hash }) => hash)),
      );
      const entries = this.#statements.all.all(account).map(toEntry);
      const unused = entries.filter((entry) => !awaited.has(entry.hash) && !isUsed(entry));
      for (const { hash } of unused) this.#statements.remove.run(account, hash);
      const { files, bytes } = this.#usage(account);
      const freed = unused.reduce((sum, entry) => sum + entry.bytes, 0);
      this.#statements.setUsage.run(account, files - unused.length, bytes - freed);
      return unused.length;
    });
  }

  async deleteAccount(account: AccountId): Promise<void> {
    this.#database.transact(() => {
      for (const { id } of this.#statements.uploads.all(account)) this.#removeUpload(String(id));
      this.#statements.removeAll.run(account);
      this.#statements.removeUsage.run(account);
    });
  }

  async begin(
    { id, account, worker, expiresOn, manifest }: AssetUpload,
    { missing, now }: { missing: ReadonlyMap<string, number>; now: string },
  ): Promise<void> {
    this.#database.transact(() => {
      for (const row of this.#statements.expired.all(toMs(now) - FORGET_AFTER_MS))
        this.#removeUpload(String(row['id']));
      this.#statements.begin.run(id, account, worker, toMs(expiresOn), JSON.stringify(manifest));
      for (const [hash, bytes] of missing) this.#statements.want.run(id, hash, bytes);
    });
  }

  async upload(account: AccountId, id: string, now: string): Promise<AssetUpload | undefined> {
    const row = this.#statements.upload.get(account, id, toMs(now));
    return row && toUpload(row);
  }

  async wanted(id: string, hashes: readonly string[]): Promise<Map<string, number>> {
    const found = hashes.map((hash) => [hash, this.#statements.wanted.get(id, hash)?.['bytes']] as const);
    return new Map(found.flatMap(([hash, bytes]) => (bytes === undefined ? [] : [[hash, Number(bytes)] as const])));
  }

  async add(
    { id, account }: Pick<AssetUpload, 'id' | 'account'>,
    entries: readonly AssetEntry[],
    quota: AssetQuota,
  ): Promise<{ complete: boolean }> {
    return this.#database.transact(() => {
      let { files, bytes } = this.#usage(account);
      for (const entry of entries) {
        const row = this.#statements.find.get(account, entry.hash);
        if (row === undefined) {
          files += 1;
          bytes += entry.bytes;
          this.#statements.insert.run(account, entry.hash, entry.sha256, entry.bytes, entry.type);
        } else if (row['sha256'] === entry.sha256) {
          this.#statements.setType.run(entry.type, account, entry.hash);
        } else {
          throw new PlatformError(
            'assetUploadInvalid',
            `Cannot store asset ${entry.hash}: the account has other content under this hash`,
          );
        }
        this.#statements.done.run(id, entry.hash);
      }
      if (files > quota.files || bytes > quota.bytes) {
        throw new PlatformError(
          'assetLimit',
          `Cannot store assets: the account would have ${files} files of ${bytes} bytes together, ` +
            `limits are ${quota.files} files and ${quota.bytes} bytes`,
        );
      }
      this.#statements.setUsage.run(account, files, bytes);
      return { complete: this.#statements.isMissing.get(id)!['missing'] === 0 };
    });
  }

  #usage(account: AccountId): AssetQuota {
    const row = this.#statements.usage.get(account);
    return { files: Number(row?.['files'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  #removeUpload(id: string): void {
    this.#statements.removeWanted.run(id);
    this.#statements.removeUpload.run(id);
  }
}

function toEntry(row: Row): AssetEntry {
  return {
    hash: row['hash'] as string,
    sha256: row['sha256'] as Sha256,
    bytes: Number(row['bytes']),
    type: row['type'] as string | null,
  };
}

function toUpload(row: Row): AssetUpload {
  return {
    id: row['id'] as string,
    account: row['account'] as AccountId,
    worker: row['worker'] as WorkerName,
    manifest: JSON.parse(row['manifest'] as string) as UploadManifest,
    expiresOn: toIsoTime(row['expires_on']),
  };
}
