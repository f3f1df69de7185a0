/** The thread that has the ledger's file open. */
import { workerData } from 'node:worker_threads';
import type { ThreadData } from '../database-thread.ts';
import { serveThread } from '../serve-thread.ts';
import { LedgerTables } from './ledger-tables.ts';
import { openLedgerDatabase } from './open-database.ts';

const SWEEP_ROWS = 500; // some milliseconds

const data = workerData as ThreadData;
const database = openLedgerDatabase(data.path);
const tables = new LedgerTables(database, Date.now);
serveThread(database, data, { tables, sweep: () => tables.sweep(SWEEP_ROWS) });
