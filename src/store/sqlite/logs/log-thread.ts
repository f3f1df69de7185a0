/** A thread with the file open: writes batches, or searches. What fails, a full disk for instance, fails alone. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadAnswer, ThreadQuestion } from '../database-thread.ts';
import { LogTables } from './log-tables.ts';
import { openLogDatabase } from './open-database.ts';
import type { LogOperation, LogThreadData } from './sqlite-log-store.ts';

const SWEEP_EVERY_MS = 60_000;

const { path, mode, quota } = workerData as LogThreadData;
const database = openLogDatabase(path);
const tables = new LogTables(database, { quota, now: Date.now });
const port = parentPort!;

port.on('message', (batch: readonly ThreadQuestion[] | 'close') => {
  if (batch !== 'close') return port.postMessage(batch.map(run));
  clearInterval(sweeping);
  database.close();
  port.close();
});
port.postMessage([]); // ready

const sweeping = setInterval(mode === 'write' ? sweep : () => {}, SWEEP_EVERY_MS);
sweeping.unref();
if (mode === 'write') setImmediate(sweep);

function run({ id, operation, parameters }: ThreadQuestion): ThreadAnswer {
  try {
    if (operation === 'flush') {
      while (database.transact(() => tables.sweep()));
      return { id };
    }
    const method = tables[operation as LogOperation] as (...parameters: readonly unknown[]) => unknown;
    const call = (): unknown => method.apply(tables, [...parameters]);
    return { id, result: mode === 'write' ? database.transact(call) : call() };
  } catch (error) {
    return { id, error: { kind: 'internal', message: String(error) } };
  }
}

function sweep(): void {
  if (!database.handle.isOpen) return;
  try {
    if (database.transact(() => tables.sweep())) setImmediate(sweep);
  } catch {
    // A full disk: in a minute again.
  }
}
