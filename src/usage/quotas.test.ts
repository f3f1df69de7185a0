import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openInlineLedger } from '../store/sqlite/index.ts';
import type { CheckedRow } from './intake.ts';
import { type QuotaNotice, Quotas } from './quotas.ts';
import { OWNER, VERSION } from './testing.ts';
import { createTotals, type UsageTotals } from './totals.ts';

const { account } = OWNER;
const NOON = Date.UTC(2026, 10, 30, 12);
const DAY_MS = 86_400_000;

describe('Quotas', () => {
  it('warns once at 80 and once at 100 percent, and refuses when they fail closed', async () => {
    await using test = await open();
    await test.quotas.set(account, { dailyRequests: 10, overQuota: 'closed' });
    for (let count = 0; count < 12; count++) test.quotas.add([row({ requests: 1 })]);
    assert.deepEqual(test.notices.map(toShort), [
      'daily_requests 2026-11-30 80 8/10',
      'daily_requests 2026-11-30 100 10/10 refused',
    ]);
    assert.deepEqual(test.calls, ['refuse']);
    assert.deepEqual(test.quotas.state(account), { requests: 12, cpuUs: 0, isOver: true, isRefused: true });
    assert.equal(test.quotas.isRefused(account), true);
  });

  it('serve on when they fail open', async () => {
    await using test = await open();
    await test.quotas.set(account, { monthlyCpuMs: 5 });
    test.quotas.add([row({ cpuUs: 3_000, startCpuUs: 3_000 })]);
    assert.deepEqual(test.notices.map(toShort), ['monthly_cpu_ms 2026-11 100 6/5']);
    assert.deepEqual([test.calls, test.quotas.isRefused(account)], [[], false]);
  });

  it('begin with what the ledger has, of this day and this month', async () => {
    await using test = await open();
    await test.use(NOON - DAY_MS, { requests: 50, cpuUs: 7_000 });
    await test.use(NOON, { requests: 2, cpuUs: 1_000 });
    await test.use(NOON - 40 * DAY_MS, { requests: 9, cpuUs: 1_000_000 });
    await test.quotas.set(account, { dailyRequests: 100, monthlyCpuMs: 100 });
    assert.deepEqual(test.quotas.state(account), { requests: 2, cpuUs: 8_000, isOver: false, isRefused: false });
  });

  it('admit again when the day ends, and warn anew; when the limit is raised; when it is taken back', async () => {
    await using test = await open();
    const closed = { dailyRequests: 1, overQuota: 'closed' } as const;
    await test.quotas.set(account, closed);
    test.quotas.add([row({ requests: 1 })]);
    test.setNow(NOON + DAY_MS);
    while (test.quotas.isRefused(account)) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(test.calls, ['refuse', 'admit']);
    test.quotas.add([row({ requests: 1 })]);
    assert.equal(test.notices.at(-1)?.period, '2026-12-01');
    await test.quotas.set(account, { ...closed, dailyRequests: 2 });
    assert.equal(test.quotas.isRefused(account), false);
    await test.quotas.set(account, { ...closed, dailyRequests: 0 });
    assert.equal(test.quotas.isRefused(account), true);
    await test.quotas.set(account, {});
    assert.deepEqual([test.calls.at(-1), test.quotas.state(account)], ['admit', undefined]);
  });
});

async function open() {
  let now = NOON;
  let number = 0;
  const notices: QuotaNotice[] = [];
  const calls: string[] = [];
  const ledger = openInlineLedger(':memory:', () => now);
  const quotas = new Quotas({
    ledger,
    refuse: async (_, isRefused) => void calls.push(isRefused ? 'refuse' : 'admit'),
    notify: (notice) => void notices.push(notice),
    now: () => now,
    onError: (error) => assert.fail(String(error)),
  });
  return {
    quotas,
    notices,
    calls,
    setNow: (at: number) => void (now = at),
    use: async (at: number, totals: Partial<UsageTotals>) => {
      const entry = { ...OWNER, event: 'fetch', outcome: 'ok', totals: { ...createTotals(), ...totals } } as const;
      await ledger.take({ cell: 'cell', number: ++number, minute: Math.floor(at / 60_000), entries: [entry] });
    },
    async [Symbol.asyncDispose]() {
      quotas[Symbol.dispose]();
      await ledger.close();
    },
  };
}

function row(totals: Partial<UsageTotals>): CheckedRow {
  return {
    ...OWNER,
    version: VERSION,
    event: 'fetch',
    outcome: 'ok',
    totals: { ...createTotals(), ...totals },
    cpuBuckets: [],
    wallBuckets: [],
  };
}

function toShort({ limit, period, percent, used, allowed, isRefused }: QuotaNotice): string {
  return `${limit} ${period} ${percent} ${used}/${allowed}${isRefused ? ' refused' : ''}`;
}
