import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import type { UsageEntry } from '../store/index.ts';
import { createTotals } from '../usage/index.ts';
import { HELLO, MAIN, openTestControl, type TestControl } from './testing.ts';

const NOW = Date.UTC(2026, 10, 30, 12, 0, 30);
const MINUTE = Math.floor(NOW / 60_000);
const API = 'api' as WorkerName;

describe('usage', () => {
  it('is told by Worker and step, with a sum of all', async () => {
    await using control = await openTestControl({ now: () => NOW });
    await use(control, MINUTE, [
      { requests: 3, cpuUs: 40 },
      { requests: 1, cpuUs: 2, errors: 1, outcome: 'exception' },
    ]);
    await use(control, MINUTE - 90, [{ requests: 5, cpuUs: 7, worker: API }]);
    await use(control, MINUTE, [{ requests: 99, account: 'other' as AccountId }]);
    const { status, result } = await control.request('GET', '/isola/usage');
    assert.equal(status, 200);
    assert.deepEqual([result.account_id, result.by, result.since], ['main', 'day', '2026-11-01T00:00:00.000Z']);
    assert.deepEqual(summary(result), ['2026-11-30 api 5', '2026-11-30 hello 4']);
    assert.deepEqual(result.rows[1].outcomes, { ok: 3, exception: 1 });
    const { requests, errors, cpu_us, outcomes } = result.totals;
    assert.deepEqual([requests, errors, cpu_us, outcomes], [9, 1, 49, { ok: 8, exception: 1 }]);

    const hours = await control.request('GET', '/isola/usage?by=hour&worker=api');
    assert.deepEqual(summary(hours.result), ['2026-11-30 api 5']);
    assert.deepEqual(summary((await control.request('GET', '/isola/usage?by=minute')).result), ['2026-11-30 hello 4']);
    assert.deepEqual(summary((await control.request('GET', '/isola/usage?by=month')).result), [
      '2026-11-01 api 5',
      '2026-11-01 hello 4',
    ]);
    const range = 'since=2026-11-30T10:00:00Z&until=2026-11-30T12:00:00Z';
    assert.deepEqual(summary((await control.request('GET', `/isola/usage?by=minute&${range}`)).result), [
      '2026-11-30 api 5',
    ]);
  });

  it('is refused for what is no step, no time, no Worker, and too many rows', async () => {
    await using control = await openTestControl({ now: () => NOW });
    for (const query of [
      'by=week',
      'since=yesterday',
      'worker=%2e%2e',
      'since=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z',
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      assert.equal((await control.request('GET', `/isola/usage?${query}`)).status, 400, query);
    }
    const workers = Array.from({ length: 10_001 }, (_, index) => ({ requests: 1, worker: `w${index}` as WorkerName }));
    await use(control, MINUTE, workers);
    const { status, errors } = await control.request('GET', '/isola/usage');
    assert.deepEqual([status, /more than 10000 rows/.test(errors[0]!.message)], [400, true]);
    const { result } = await control.request('GET', '/isola/usage?merged=true');
    assert.deepEqual([summary(result), result.totals.requests], [['2026-11-30  10001'], 10_001]);
  });
});

let number = 0;

async function use(
  { ledger }: TestControl,
  minute: number,
  uses: readonly (Partial<UsageEntry['totals']> & Partial<Omit<UsageEntry, 'totals'>>)[],
): Promise<void> {
  const entries = uses.map(({ account = MAIN, worker = HELLO, outcome = 'ok', event = 'fetch', ...totals }) => ({
    account,
    worker,
    outcome,
    event,
    totals: { ...createTotals(), ...totals },
  }));
  await ledger.take({ cell: `cell ${++number}`, number: 1, minute, entries });
}

function summary({ rows }: { rows: { time: string; worker: string; requests: number }[] }): string[] {
  return rows.map(({ time, worker, requests }) => `${time.slice(0, 10)} ${worker} ${requests}`);
}
