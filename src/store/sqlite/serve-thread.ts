import { parentPort } from 'node:worker_threads';
import { PlatformError } from '../../errors.ts';
import type { Database } from './database.ts';
import type { ThreadAnswer, ThreadData, ThreadQuestion } from './database-thread.ts';

const SWEEP_EVERY_MS = 60_000;

export interface ServedTables {
  /** Whose methods are the operations. */
  readonly tables: object;
  /** What goes over without a copy. */
  readonly buffersOf?: (result: unknown) => ArrayBuffer[];
  /** Clears away some of what nobody needs, a few milliseconds' worth. Whether there is more. */
  readonly sweep?: () => boolean;
}

/** The thread's side of DatabaseThread: runs the questions of a batch in turn, and answers the batch. */
export function serveThread(database: Database, { mode }: ThreadData, served: ServedTables): void {
  const { tables, buffersOf = () => [], sweep } = served;
  const port = parentPort!;

  const run = ({ id, operation, parameters }: ThreadQuestion): ThreadAnswer => {
    try {
      const method = tables[operation as keyof object] as (...parameters: readonly unknown[]) => unknown;
      return { id, result: method.apply(tables, [...parameters]) };
    } catch (error) {
      if (!(error instanceof PlatformError)) return { id, error: { kind: 'internal', message: String(error) } };
      return { id, error: { kind: error.kind, message: error.message } };
    }
  };

  /** One question's writes, or none of them: those of others in the same transaction stay. */
  const runAlone = (question: ThreadQuestion): ThreadAnswer => {
    database.handle.exec('SAVEPOINT question');
    const answer = run(question);
    if (answer.error !== undefined) database.handle.exec('ROLLBACK TO question');
    database.handle.exec('RELEASE question');
    return answer;
  };

  const runAll = (batch: readonly ThreadQuestion[]): ThreadAnswer[] => {
    if (mode === 'read') return batch.map(run);
    try {
      return database.transact(() => batch.map(runAlone));
    } catch (error) {
      // The disk is full, for instance: nothing was written. There may be room again for the next ones.
      return batch.map(({ id }) => ({ id, error: { kind: 'internal', message: String(error) } }));
    }
  };

  const sweepAll = (): void => {
    if (sweep === undefined || !database.handle.isOpen) return;
    // What waits meanwhile is served in between.
    if (database.transact(sweep)) setImmediate(sweepAll);
  };
  const sweeping = mode === 'write' ? setInterval(sweepAll, SWEEP_EVERY_MS).unref() : undefined;

  port.on('message', (batch: readonly ThreadQuestion[] | 'close') => {
    if (batch === 'close') {
      database.close();
      port.close();
      clearInterval(sweeping);
      return;
    }
    const answers = runAll(batch);
    port.postMessage(
      answers,
      answers.flatMap(({ result }) => buffersOf(result)),
    );
  });
  port.postMessage([]); // ready
}
