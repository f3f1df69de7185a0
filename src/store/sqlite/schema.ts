import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';

const SCHEMA_VERSION = 1;

/**
 * `routes` is the key-value view that watchers follow: one row per Worker that ever served, `route` NULL once it is
 * deleted (a tombstone), `revision` of its last change. The other tables are what the control API shows.
 * Times are ms since 1970; JSON columns hold what is never searched.
 */
const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, created_on INTEGER NOT NULL, limits TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, name TEXT NOT NULL, tag TEXT NOT NULL,
    created_on INTEGER NOT NULL, modified_on INTEGER NOT NULL, last_number INTEGER NOT NULL,
    settings TEXT NOT NULL, limits TEXT,
    UNIQUE (account, name)
  ) STRICT;
  CREATE TABLE versions (
    id TEXT PRIMARY KEY, worker INTEGER NOT NULL, number INTEGER NOT NULL,
    created_on INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX versions_by_worker ON versions (worker, number);
  CREATE TABLE deployments (
    worker INTEGER NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL,
    created_on INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (worker, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE routes (
    account TEXT NOT NULL, worker TEXT NOT NULL, revision INTEGER NOT NULL, route TEXT,
    PRIMARY KEY (account, worker)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX routes_by_revision ON routes (revision);
`;

const SQLITE_BUSY = 5;

/** Opens the database file, making it when there is none. Throws when a newer isola wrote it, or another one has it. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    // FULL: an acknowledged write has been fsynced to the log, so that it also survives a power cut.
    // EXCLUSIVE: the lock is held for as long as it is open, and goes with the process. Two platforms on one data folder
    // would each serve what the other does not know of.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(database, path);
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new PlatformError('overloaded', `Cannot open ${path}: another isola is using this data folder`, {
        cause: error,
      });
    }
    throw error;
  }
  return database;
}

function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE');
  const found = Number(database.prepare('PRAGMA user_version').get()!['user_version']);
  if (found > SCHEMA_VERSION) {
    throw new Error(`Cannot open ${path}: its schema is version ${found}, this program knows up to ${SCHEMA_VERSION}`);
  }
  if (found === 0) {
    database.exec(SCHEMA);
    const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
    insert.run('epoch', randomUUID());
    insert.run('revision', 0);
    insert.run('compacted', 0);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }
  database.exec('COMMIT');
}
