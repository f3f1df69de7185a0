import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS, type Migration } from './migrations/index.ts';

const SQLITE_BUSY = 5;
const BUSY_MS = { EXCLUSIVE: 0, NORMAL: 10_000 }; // a checkpoint of the other connection takes a while

/**
 * A file that adapters share, the registry's above all. One process owns it: the lock is held until it is closed.
 * Everything runs to its end in one go, so that transactions of different adapters never mix.
 */
export class Database {
  readonly handle: DatabaseSync;

  constructor(handle: DatabaseSync) {
    this.handle = handle;
  }

  /** Compiles an adapter's statements, by name. Proves at opening that the schema fits them. */
  prepare<Name extends string>(sql: Readonly<Record<Name, string>>): Readonly<Record<Name, StatementSync>> {
    const prepared = Object.entries<string>(sql).map(([name, text]) => [name, this.handle.prepare(text)]);
    return Object.fromEntries(prepared) as Record<Name, StatementSync>;
  }

  /** All that `run` writes, or nothing when it throws. Durable when it returns. Not to be nested. */
  transact<T>(run: () => T): T {
    this.handle.exec('BEGIN IMMEDIATE');
    try {
      const result = run();
      this.handle.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.handle.isTransaction) this.handle.exec('ROLLBACK');
      throw error;
    }
  }

  /** Again is fine. */
  close(): void {
    if (this.handle.isOpen) this.handle.close();
  }
}

interface OpenOptions {
  /** Default: the registry's. */
  readonly migrations?: readonly Migration[];
  /** NORMAL: what was written survives a crash of the process, but perhaps not a power cut. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** NORMAL: this process opens the file several times. */
  readonly locking?: 'EXCLUSIVE' | 'NORMAL';
}

/**
 * Opens the file (`:memory:` for tests), making it when there is none, and brings its schema up to date. Throws when a newer isola
 * wrote it, or another one has it.
 */
export function openDatabase(
  path: string,
  { migrations = MIGRATIONS, synchronous = 'FULL', locking = 'EXCLUSIVE' }: OpenOptions = {},
): Database {
  const database = new Database(new DatabaseSync(path));
  try {
    // FULL: an acknowledged write has been fsynced to the log, so that it also survives a power cut.
    // EXCLUSIVE: the lock is held for as long as it is open, and goes with the process. Two platforms on one data folder
    // would each serve what the other does not know of.
    database.handle.exec(
      `PRAGMA busy_timeout = ${BUSY_MS[locking]}; PRAGMA locking_mode = ${locking}; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`,
    );
    migrate(database, { path, migrations });
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
