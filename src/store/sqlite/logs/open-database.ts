import { type Database, openDatabase } from '../database.ts';
import { LOG_MIGRATIONS } from '../migrations/logs.ts';

/** Several connections share the file. A power cut may take the last moments of it: it is a log. */
export function openLogDatabase(path: string): Database {
  return openDatabase(path, { migrations: LOG_MIGRATIONS, locking: 'NORMAL', synchronous: 'NORMAL' });
}
