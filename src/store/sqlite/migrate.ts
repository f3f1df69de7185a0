import type { Database } from './database.ts';
import type { Migration } from './migrations/index.ts';

/** What programs wrote that knew one schema only: `base`, and no record of it. */
const UNRECORDED = 1;
/** The table `migrations` tells the rest. Those programs refuse such a file. */
const RECORDED = 2;

/** Applies what is missing. Throws before it changes anything when the file holds what this program does not know. */
export function migrate(
  database: Database,
  { path, migrations }: { path: string; migrations: readonly Migration[] },
): void {
  const { handle } = database;
  const found = Number(handle.prepare('PRAGMA user_version').get()!['user_version']);
  if (found > RECORDED) {
    throw new Error(`Cannot open ${path}: its schema is version ${found}, this program knows up to ${RECORDED}`);
  }
  if (found < RECORDED) {
    database.transact(() => {
      handle.exec('CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_on INTEGER NOT NULL) STRICT, WITHOUT ROWID');
      if (found === UNRECORDED) record(database, migrations[0]!);
      handle.exec(`PRAGMA user_version = ${RECORDED}`);
    });
  }
  const applied = new Set(
    handle
      .prepare('SELECT name FROM migrations')
      .all()
      .map(({ name }) => String(name)),
  );
  const unknown = applied.difference(new Set(migrations.map(({ name }) => name)));
  if (unknown.size > 0) {
    throw new Error(`Cannot open ${path}: a newer isola wrote it, with ${[...unknown].join(', ')}`);
  }
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    database.transact(() => {
      handle.exec(migration.sql);
      record(database, migration);
    });
  }
}

function record({ handle }: Database, { name }: Migration): void {
  handle.prepare('INSERT INTO migrations (name, applied_on) VALUES (?, ?)').run(name, Date.now());
}
