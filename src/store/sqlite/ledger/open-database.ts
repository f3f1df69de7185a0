import { type Database, openDatabase } from '../database.ts';
import { LEDGER_MIGRATIONS } from '../migrations/ledger.ts';

export function openLedgerDatabase(path: string): Database {
  return openDatabase(path, { migrations: LEDGER_MIGRATIONS });
}
