/**
 * The process that ledger-crash.test.ts kills: gives the ledger batches, as the supervisor does with what cells send it,
 * several at a time. A line before each is given and one once it is acknowledged. It begins with those that it is told to
 * give again; with `--finish` it ends after them.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountId, WorkerName } from '../ids.ts';
import { createTotals } from '../usage/totals.ts';
import type { UsageBatch } from './ledger.ts';
import { openSqliteLedger } from './sqlite/index.ts';

export const LEDGER_CRASH_ACCOUNT = 'main' as AccountId;
const AT_A_TIME = 3;

if (import.meta.main) await work(process.argv.slice(2));

async function work([dir = '', next = '1', again = '', mode = '']: string[]): Promise<void> {
  const ledger = await openSqliteLedger(join(dir, 'usage.sqlite'));
  const give = async (number: number): Promise<void> => {
    writeSync(1, `start ${number}\n`);
    await ledger.take(toBatch(number));
    writeSync(1, `done ${number}\n`);
  };
  await Promise.all(again.split(',').filter(Boolean).map(Number).map(give));
  let number = Number(next);
  const lane = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (;;) await give(number++);
  };
  if (mode === '--finish') await ledger.close();
  else await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

/** Each for a Worker of its own, so that it is seen which have been counted, and how often. */
function toBatch(number: number): UsageBatch {
  const totals = { ...createTotals(), requests: 1, cpuUs: number };
  const worker = `w${number}` as WorkerName;
  const entry = { account: LEDGER_CRASH_ACCOUNT, worker, event: 'fetch', outcome: 'ok', totals } as const;
  return { cell: 'life of a cell', number, minute: Math.floor(Date.now() / 60_000), entries: [entry] };
}
