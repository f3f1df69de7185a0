import type { StatementSync } from 'node:sqlite';
import type { AccountId, VersionId, WorkerName } from '../../ids.ts';
import { MAX_PREVIEW_VERSIONS } from '../../limits.ts';
import type { VersionAssets } from '../../model.ts';
import type { PreviewNames, Previews } from '../previews.ts';
import type { Database } from './database.ts';

const ALIAS = `json_extract(record, '$.annotations."workers/alias"')`;

const SQL = {
  worker: `SELECT id FROM workers WHERE account = ? AND name = ? AND json_extract(settings, '$.previewsEnabled')`,
  versions: `SELECT id, record -> '$.spec.assets' AS assets FROM versions WHERE worker = ? ORDER BY number DESC LIMIT ?`,
  // The other columns of a group are those of its greatest number: SQLite promises that of max().
  aliases: `SELECT ${ALIAS} AS alias, id, max(number) FROM versions
    WHERE worker = ? AND ${ALIAS} IS NOT NULL GROUP BY alias ORDER BY max(number) DESC LIMIT ?`,
} as const;

export class SqlitePreviews implements Previews {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#statements = database.prepare(SQL);
  }

  async list(account: AccountId, worker: WorkerName): Promise<PreviewNames> {
    const row = this.#statements.worker.get(account, worker);
    if (row === undefined) return { versions: [], aliases: [], assets: [] };
    const versions = this.#statements.versions.all(row['id']!, MAX_PREVIEW_VERSIONS);
    const aliases = this.#statements.aliases.all(row['id']!, MAX_PREVIEW_VERSIONS);
    return {
      versions: versions.map(({ id }) => id as VersionId),
      assets: versions.flatMap(({ id, assets }) =>
        assets === null ? [] : [[id as VersionId, JSON.parse(String(assets)) as VersionAssets] as const],
      ),
      aliases: aliases.map(({ alias, id }) => [String(alias), id as VersionId] as const),
    };
  }
}
