import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../../../ids.ts';
import { createTotals } from '../../../usage/totals.ts';
import { ledgerContract } from '../../ledger-contract.ts';
import type { UsageBatch } from '../../ledger.ts';
import { LedgerTables } from './ledger-tables.ts';
import { openLedgerDatabase } from './open-database.ts';
import { openInlineLedger, openSqliteLedger } from './sqlite-ledger.ts';

const A = 'a' as AccountId;
const DAY = 86_400_000;
const AT = Date.UTC(2026, 10, 30);

ledgerContract('openInlineLedger', async () => openInlineLedger());

describe('openSqliteLedger', () => {
  it('remembers sums, and which batches it has, after it was closed', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-ledger-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'usage.sqlite');
    {
      await using ledger = await openSqliteLedger(path);
      const taken = await Promise.all([1, 2, 2, 4].map((number) => ledger.take(batch(number))));
      assert.deepEqual(taken, [true, true, false, true]);
    }
    await using again = await openSqliteLedger(path);
    assert.equal(await again.take(batch(4)), false);
    assert.equal(await again.take(batch(3)), true);
    const sums = await again.sums({ account: A, since: AT, until: AT + 1, by: 'day' }, 10);
    assert.equal(sums[0]?.totals.requests, 4);
  });
});

describe('LedgerTables', () => {
  it('sweep() drops minutes and hours that are too old, and keeps days', () => {
    let now = AT;
    const database = openLedgerDatabase(':memory:');
    const tables = new LedgerTables(database, () => now);
    const count = (table: string): unknown => database.handle.prepare(`SELECT count(*) AS n FROM ${table}`).get()!['n'];
    tables.take(batch(1));
    tables.take(batch(2, 1));
    now += 4 * DAY;
    while (tables.sweep(1));
    assert.deepEqual([count('minutes'), count('hours'), count('days'), count('cells')], [0, 1, 1, 0]);
    now += 100 * DAY;
    while (tables.sweep(1));
    assert.deepEqual([count('hours'), count('days')], [0, 1]);
    database.close();
  });

  it('take() refuses a cell that leaves out too many numbers', () => {
    const database = openLedgerDatabase(':memory:');
    const tables = new LedgerTables(database, () => AT);
    assert.throws(() => {
      for (let number = 2; number < 2_000; number++) tables.take({ ...batch(number), entries: [] });
    }, /too many before it lack/);
    database.close();
  });
});

function batch(number: number, minutes = 0): UsageBatch {
  const totals = { ...createTotals(), requests: 1 };
  const entry = { account: A, worker: 'shop' as WorkerName, event: 'fetch', outcome: 'ok', totals } as const;
  return { cell: 'cell', number, minute: AT / 60_000 + minutes, entries: [entry] };
}
