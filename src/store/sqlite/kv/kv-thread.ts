/** A thread with the file open: runs the questions of a batch in turn, and answers the batch. */
import { parentPort, workerData } from 'node:worker_threads';
import { PlatformError } from '../../../errors.ts';
import { openKvDatabase } from './open-database.ts';
import { KvTables } from './kv-tables.ts';
import type { KvAnswer, KvQuestion, KvThreadData } from './kv-threads.ts';

const SWEEP_EVERY_MS = 60_000;
const SWEEP_ENTRIES = 500; // some milliseconds; what waits meanwhile is served in between

const { path, mode } = workerData as KvThreadData;
const database = openKvDatabase(path);
const tables = new KvTables(database, Date.now);
const port = parentPort!;

port.on('message', (batch: readonly KvQuestion[] | 'close') => {
  if (batch === 'close') {
    database.close();
    port.close();
    return clearInterval(sweeping);
  }
  const answers = mode === 'write' ? database.transact(() => batch.map(runAlone)) : batch.map(run);
  const transfer = answers.flatMap(({ result }) => buffersOf(result));
  port.postMessage(answers, transfer);
});
port.postMessage([]); // ready

const sweeping = setInterval(mode === 'write' ? sweep : () => {}, SWEEP_EVERY_MS);
sweeping.unref();

/** One question's writes, or none of them: those of others in the same transaction stay. */
function runAlone(question: KvQuestion): KvAnswer {
  database.handle.exec('SAVEPOINT question');
  const answer = run(question);
  if (answer.error !== undefined) database.handle.exec('ROLLBACK TO question');
  database.handle.exec('RELEASE question');
  return answer;
}

function run({ id, operation, parameters }: KvQuestion): KvAnswer {
  try {
    const method = tables[operation] as (...parameters: readonly unknown[]) => unknown;
    return { id, result: method.apply(tables, [...parameters]) };
  } catch (error) {
    if (!(error instanceof PlatformError)) return { id, error: { kind: 'internal', message: String(error) } };
    return { id, error: { kind: error.kind, message: error.message } };
  }
}

function sweep(): void {
  if (!database.handle.isOpen) return;
  if (database.transact(() => tables.sweep(SWEEP_ENTRIES))) setImmediate(sweep);
}

/** Values go over without a copy. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const entries = (result as { entries?: readonly ({ value: Uint8Array } | undefined)[] } | undefined)?.entries ?? [];
  return entries.flatMap((entry) => (entry === undefined ? [] : [entry.value.buffer as ArrayBuffer]));
}
