import type { SQLInputValue, StatementSync } from 'node:sqlite';
import type { AccountId, Sha256, VersionId, WorkerName } from '../../ids.ts';
import type { Housekeeping, TrimCursor, TrimmedVersion, VersionQuota } from '../housekeeping.ts';
import type { Database } from './database.ts';
import { toDeployment } from './rows.ts';

const BATCH_VERSIONS = 100; // one transaction of a few ms: requests get their turn in between
const MAX_DEPLOYMENTS = 100; // as many as the API lists: a rollback does not see further

const SQL = {
  usage: 'SELECT versions, bytes FROM version_usage WHERE account = ?',
  over: 'SELECT account FROM version_usage WHERE versions > ? OR bytes > ? ORDER BY account',
  old: `SELECT o.created_on, o.worker, o.number, v.id, w.name
    FROM old_versions o JOIN versions v ON v.worker = o.worker AND v.number = o.number JOIN workers w ON w.id = o.worker
    WHERE o.account = ? AND (o.created_on, o.worker, o.number) > (?, ?, ?)
    ORDER BY o.created_on, o.worker, o.number LIMIT ?`,
  deployments: 'SELECT * FROM deployments WHERE worker = ? ORDER BY sequence DESC LIMIT ?',
  removeVersion: 'DELETE FROM versions WHERE id = ?',
  allDeployments: 'SELECT sequence, id, created_on, record FROM deployments WHERE worker = ?',
  removeDeployment: 'DELETE FROM deployments WHERE worker = ? AND sequence = ?',

  used: `SELECT EXISTS (SELECT 1 FROM version_blobs WHERE sha256 = :hash)
    OR EXISTS (SELECT 1 FROM assets WHERE sha256 = :hash) AS used`,
  loose: 'SELECT sha256 FROM loose_blobs WHERE sha256 > ? ORDER BY sha256 LIMIT ?',
  settle: 'DELETE FROM loose_blobs WHERE sha256 = ?',
} as const;

/** Housekeeping in the registry's file, whose triggers keep its tables (migrations/housekeeping.ts). */
export class SqliteHousekeeping implements Housekeeping {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
  }

  async usage(account: AccountId): Promise<VersionQuota> {
    return this.#usage(account);
  }

  async accountsOver({ versions, bytes }: VersionQuota): Promise<AccountId[]> {
    return this.#statements.over.all(versions, bytes).map((row) => row['account'] as AccountId);
  }

  async trimVersions(
    account: AccountId,
    quota: VersionQuota,
    from: TrimCursor = { createdMs: -1, worker: 0, number: 0 },
  ): Promise<{ removed: TrimmedVersion[]; next?: TrimCursor }> {
    return this.#database.transact(() => {
      const removed: TrimmedVersion[] = [];
      const kept = new Map<SQLInputValue, Set<VersionId>>();
      const gone = new Map<SQLInputValue, Set<VersionId>>();
      const position = [from.createdMs, from.worker, from.number] as const;
      const rows = this.#isOver(account, quota) ? this.#statements.old.all(account, ...position, BATCH_VERSIONS) : [];
      for (const { id, worker, name } of rows) {
        if (!this.#isOver(account, quota)) break;
        let keptOfWorker = kept.get(worker!);
        if (keptOfWorker === undefined) kept.set(worker!, (keptOfWorker = this.#keptByDeployments(worker!)));
        if (keptOfWorker.has(id as VersionId)) continue;
        this.#statements.removeVersion.run(id!);
        gone.set(worker!, (gone.get(worker!) ?? new Set()).add(id as VersionId));
        removed.push({ worker: name as WorkerName, id: id as VersionId });
      }
      for (const [worker, ids] of gone) this.#removeDeployments(worker, ids);
      if (rows.length < BATCH_VERSIONS || !this.#isOver(account, quota)) return { removed };
      const last = rows.at(-1)!;
      const [createdMs, worker, number] = [last['created_on'], last['worker'], last['number']].map(Number);
      return { removed, next: { createdMs: createdMs!, worker: worker!, number: number! } };
    });
  }

  async usedBlobs(hashes: readonly Sha256[]): Promise<Set<Sha256>> {
    return new Set(hashes.filter((hash) => this.#statements.used.get({ hash })!['used'] === 1));
  }

  async looseBlobs({ after = '' as Sha256, limit }: { after?: Sha256 | undefined; limit: number }): Promise<Sha256[]> {
    return this.#statements.loose.all(after, limit).map(({ sha256 }) => sha256 as Sha256);
  }

  async settleBlobs(hashes: readonly Sha256[]): Promise<void> {
    this.#database.transact(() => {
      for (const hash of hashes) this.#statements.settle.run(hash);
    });
  }

  #usage(account: AccountId): VersionQuota {
    const row = this.#statements.usage.get(account);
    return { versions: Number(row?.['versions'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
  }

  #isOver(account: AccountId, { versions, bytes }: VersionQuota): boolean {
    const usage = this.#usage(account);
    return usage.versions > versions || usage.bytes > bytes;
  }

  /** All that name one of the versions. One look at each, however many versions go. */
  #removeDeployments(worker: SQLInputValue, gone: ReadonlySet<VersionId>): void {
    for (const row of this.#statements.allDeployments.all(worker)) {
      if (!toDeployment(row).shares.some(({ version }) => gone.has(version))) continue;
      this.#statements.removeDeployment.run(worker, row['sequence']!);
    }
  }

  /**
   * What serves, what served until a moment ago (gateways may not have heard yet), and what a rollback without an id goes to. wrangler takes the version that had all traffic in the latest of
   * the earlier deployments, be it the one that serves; isola's own route takes the latest that does not serve.
   */
  #keptByDeployments(worker: SQLInputValue): Set<VersionId> {
    const [current, ...earlier] = this.#statements.deployments.all(worker, MAX_DEPLOYMENTS).map(toDeployment);
    const serving = new Set(current?.shares.map(({ version }) => version));
    const targets = earlier.flatMap(({ shares }) => shares.filter(({ percentage }) => percentage === 100));
    const other = targets.find(({ version }) => !serving.has(version));
    const kept = [
      ...(current?.shares ?? []),
      ...(earlier[0]?.shares ?? []),
      ...[targets[0], other].flatMap((target) => target ?? []),
    ];
    return new Set(kept.map(({ version }) => version));
  }
}
