import { type Database, openDatabase } from '../database.ts';
import { KV_MIGRATIONS } from '../migrations/kv.ts';

/** Several connections share the file: who else may have it, the registry's lock on the data folder decides. */
export function openKvDatabase(path: string): Database {
  return openDatabase(path, { migrations: KV_MIGRATIONS, locking: 'NORMAL' });
}
