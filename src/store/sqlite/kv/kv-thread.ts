/** A thread with the file open. */
import { workerData } from 'node:worker_threads';
import type { ThreadData } from '../database-thread.ts';
import { serveThread } from '../serve-thread.ts';
import { KvTables } from './kv-tables.ts';
import { openKvDatabase } from './open-database.ts';

const SWEEP_ENTRIES = 500; // some milliseconds

const data = workerData as ThreadData;
const database = openKvDatabase(data.path);
const tables = new KvTables(database, Date.now);
serveThread(database, data, { tables, buffersOf, sweep: () => tables.sweep(SWEEP_ENTRIES) });

function buffersOf(result: unknown): ArrayBuffer[] {
  const entries = (result as { entries?: readonly ({ value: Uint8Array } | undefined)[] } | undefined)?.entries ?? [];
  return entries.flatMap((entry) => (entry === undefined ? [] : [entry.value.buffer as ArrayBuffer]));
}
