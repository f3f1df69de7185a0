import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VersionId } from '../ids.ts';
import type { UsageBatch } from '../store/ledger.ts';
import { toWireRow, type UsageMessage, type WireRow } from './batch.ts';
import { type CheckedRow, type CellUsage, UsageIntake } from './intake.ts';
import { Meter } from './meter.ts';
import { makeRecord, OWNER, VERSION } from './testing.ts';

const MINUTE = 1_000_000;

describe('UsageIntake', () => {
  it('counts what a cell used of the code it was given, in the name of its owner, once', async () => {
    const { cell, taken, heard } = open();
    await cell.take(message(1, rowOf({})));
    await cell.take(message(1, rowOf({})));
    assert.equal(taken.length, 1);
    assert.deepEqual(
      taken[0]?.entries.map(({ account, worker, totals }) => [account, worker, totals.requests, totals.cpuUs]),
      [[OWNER.account, OWNER.worker, 1, 120]],
    );
    assert.equal(heard.length, 1);
  });

  it('counts nothing of a version that the cell was not given, and the rest of the batch', async () => {
    const { cell, taken, warnings } = open();
    await cell.take(message(1, rowOf({ version: 'v2' as VersionId }), rowOf({})));
    assert.equal(taken[0]?.entries.length, 1);
    assert.match(warnings[0]!, /was not given the code/);
    await cell.take(message(2, rowOf({ version: '__proto__' as VersionId })));
    assert.equal(taken[1]?.entries.length, 0);
    assert.equal(warnings.length, 1);
  });

  it('counts no more CPU time than can have passed, and lets it come later', async () => {
    const { cell, taken, setMs } = open();
    await cell.take(message(1, rowOf({ cpuUs: 3_000_000, wallMs: 10 })));
    setMs(1_000);
    await cell.take(message(2, rowOf({ cpuUs: 3_000_000, wallMs: 10 })));
    await cell.take(message(3, rowOf({ cpuUs: 300_000_000, wallMs: 10 })));
    assert.deepEqual(
      taken.map(({ entries }) => entries.length),
      [0, 1, 0],
    );
  });

  it('takes back what it let pass when the ledger could not take it', async () => {
    const failures = [new Error('the disk is full')];
    const { cell, taken } = open(failures);
    const again = message(1, rowOf({ cpuUs: 1_900_000, wallMs: 10 }));
    await assert.rejects(cell.take(again), /disk is full/);
    await cell.take(again);
    assert.equal(taken[0]?.entries.length, 1);
  });

  it('counts for no minute before the cell was there, nor in the future', async () => {
    const { cell, taken, setMs } = open();
    setMs(300_000);
    for (const [index, minute] of [0, MINUTE - 1, MINUTE + 2, MINUTE + 6, Number.MAX_SAFE_INTEGER].entries()) {
      // oxlint-disable-next-line no-await-in-loop
      await cell.take({ ...message(index + 1, rowOf({})), minute });
    }
    assert.deepEqual(
      taken.map(({ minute }) => minute - MINUTE),
      [0, 0, 2, 5, 5],
    );
  });

  it('survives whatever a cell sends', async () => {
    const { cell, taken } = open();
    const row = rowOf({});
    for (const bad of [
      null,
      undefined,
      1,
      'x',
      [],
      {},
      { number: 0 },
      { number: 1.5, minute: 1, rows: [] },
      { number: 1, minute: -1, rows: [] },
      { number: 1, minute: 1, rows: {} },
      { number: 1, minute: 1, rows: Array.from({ length: 5_001 }, () => row) },
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      await cell.take(bad);
    }
    assert.equal(taken.length, 0);
    const forged = (index: number, value: unknown): unknown[] => row.map((old, at) => (at === index ? value : old));
    const rows = [forged(3, 5), forged(4, 9), forged(8, 1e12), forged(10, 1e15), forged(2, 99), null, 'row'];
    await cell.take({ number: 1, minute: MINUTE, rows });
    assert.equal(taken[0]?.entries.length, 0);
  });
});

function open(failures: Error[] = []): {
  cell: CellUsage;
  taken: UsageBatch[];
  heard: (readonly CheckedRow[])[];
  warnings: string[];
  setMs: (ms: number) => void;
} {
  let now = MINUTE * 60_000;
  const taken: UsageBatch[] = [];
  const heard: (readonly CheckedRow[])[] = [];
  const warnings: string[] = [];
  const intake = new UsageIntake({
    ledger: {
      take: async (batch) => {
        const failure = failures.pop();
        if (failure !== undefined) throw failure;
        if (taken.some(({ number }) => number === batch.number)) return false;
        taken.push(batch);
        return true;
      },
    },
    onTaken: (rows) => void heard.push(rows),
    onWarning: (text) => void warnings.push(text),
    now: () => now,
    randomUUID: () => 'cell',
  });
  const cell = intake.openCell();
  cell.allow(VERSION, OWNER);
  const setMs = (ms: number): void => {
    now = MINUTE * 60_000 + ms;
  };
  return { cell, taken, heard, warnings, setMs };
}

function rowOf(record: Parameters<typeof makeRecord>[0]): WireRow {
  const meter = new Meter();
  meter.end(makeRecord(record), undefined);
  return toWireRow(meter.cut()[0]!);
}

function message(number: number, ...rows: WireRow[]): UsageMessage {
  return { number, minute: MINUTE, rows };
}
