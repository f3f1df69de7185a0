import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { parsePlanBook } from '../usage/plans/index.ts';
import { createTotals, type UsageTotals } from '../usage/index.ts';
import { HELLO, MAIN, openTestControl, type TestControl } from './testing.ts';

const NOW = Date.UTC(2026, 10, 30, 12);
const NOVEMBER = Math.floor(NOW / 60_000);
const OCTOBER = Math.floor(Date.UTC(2026, 9, 31, 23, 59) / 60_000);

describe('cost', () => {
  it('is the bill of the month by plan, beside what it would have been by duration', async () => {
    await using control = await openTestControl({ now: () => NOW });
    await use(control, NOVEMBER, { requests: 1_000_000, cpuUs: 50_000_000_000, wallMs1: 5e7, wallMs100: 1e8 });
    await use(control, NOVEMBER, { requests: 1, cpuUs: 125, worker: 'api' as WorkerName });
    await use(control, OCTOBER, { requests: 7_000_000 });
    await use(control, NOVEMBER, { requests: 9_000_000, account: 'other' as AccountId });
    const { status, result } = await control.request('GET', '/isola/cost');
    assert.equal(status, 200);
    assert.deepEqual(
      [result.month, result.final, result.plan, result.currency, result.total, result.total_minor],
      ['2026-11', false, 'standard', 'USD', '1.30', 130],
    );
    assert.deepEqual(result.lines, [
      {
        item: 'requests',
        unit: 'requests',
        quantity: '1000001',
        included: '0',
        unit_price: '0.30',
        per: 1_000_000,
        amount: '0.30',
        amount_minor: 30,
      },
      {
        item: 'cpu_ms',
        unit: 'CPU-ms',
        quantity: '50000000.125',
        included: '0',
        unit_price: '0.02',
        per: 1_000_000,
        amount: '1.00',
        amount_minor: 100,
      },
    ]);
    assert.deepEqual(
      result.workers.map(({ worker, requests }: { worker: string; requests: number }) => [worker, requests]),
      [
        ['api', 1],
        ['hello', 1_000_000],
      ],
    );
    assert.deepEqual(
      result.compare.map(({ plan, total }: { plan: string; total: string }) => `${plan} ${total}`),
      ['lambda-128mb 0.30', 'lambda-2018-128mb 0.41'],
    );
    assert.match(result.compare[1].formula, /12500 GB-s \(100000000 ms, each request rounded up to 100 ms/);

    const october = await control.request('GET', '/isola/cost?month=2026-10');
    assert.deepEqual([october.result.final, october.result.total], [true, '2.10']);
  });

  it('is by the plan of the account, with its overrides', async () => {
    const plans = parsePlanBook(
      JSON.stringify({ accounts: { main: { plan: 'workers-2018', overrides: { minimum: '5' } } }, compare: [] }),
    );
    await using control = await openTestControl({ now: () => NOW, plans });
    await use(control, NOVEMBER, { requests: 2_000_000 });
    const { result } = await control.request('GET', '/isola/cost?month=2026-11');
    assert.deepEqual([result.plan, result.total, result.compare], ['workers-2018', '5.00', []]);
    assert.deepEqual(
      result.lines.map(({ item, amount }: { item: string; amount: string }) => [item, amount]),
      [
        ['requests', '1.00'],
        ['cpu_ms', '0.00'],
        ['minimum', '4.00'],
      ],
    );
  });

  it('is by the plan that the account was given, until it is taken back', async () => {
    await using control = await openTestControl({ now: () => NOW });
    const plan = async (): Promise<unknown> => (await control.request('GET', '/isola/cost')).result.plan;
    const given = await control.request('PATCH', '/isola/settings', { plan: 'workers-2018' });
    assert.deepEqual([given.status, given.result.plan, await plan()], [200, 'workers-2018', 'workers-2018']);
    const missing = await control.request('PATCH', '/isola/settings', { plan: 'gold' });
    assert.deepEqual([missing.status, await plan()], [400, 'workers-2018']);
    assert.match(missing.errors[0]!.message, /^Cannot give 'main' the plan 'gold': .*there are standard, /);
    await control.request('PATCH', '/isola/settings', { plan: null });
    assert.equal(await plan(), 'standard');
    // One that has gone from the file since: nothing is billed by another in silence.
    await control.registry.setAccountSettings(MAIN, { plan: 'gone' });
    const gone = await control.request('GET', '/isola/cost');
    assert.deepEqual([gone.status, gone.errors[0]!.message.includes("no plan 'gone'")], [400, true]);
  });

  it('is refused for what is no month', async () => {
    await using control = await openTestControl({ now: () => NOW });
    for (const month of ['2026', '2026-13', '2026-1', 'x', '']) {
      // oxlint-disable-next-line no-await-in-loop
      assert.equal((await control.request('GET', `/isola/cost?month=${month}`)).status, 400, month);
    }
  });
});

let number = 0;

async function use(
  { ledger }: TestControl,
  minute: number,
  { account = MAIN, worker = HELLO, ...totals }: Partial<UsageTotals> & { account?: AccountId; worker?: WorkerName },
): Promise<void> {
  const entry = { account, worker, outcome: 'ok', event: 'fetch', totals: { ...createTotals(), ...totals } } as const;
  await ledger.take({ cell: `cell ${++number}`, number: 1, minute, entries: [entry] });
}
