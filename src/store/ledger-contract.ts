import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { createTotals, type UsageTotals } from '../usage/totals.ts';
import type { Ledger, UsageBatch, UsageEntry, UsageQuery, UsageSum } from './ledger.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const SHOP = 'shop' as WorkerName;
const AT = Date.UTC(2026, 10, 30, 23, 58);
const MINUTE = AT / 60_000;
const ALL = 1_000;

/** The tests that every Ledger adapter passes. `open` gives an empty one. */
export function ledgerContract(name: string, open: () => Promise<Ledger>): void {
  const withLedger = async (test: (ledger: Ledger) => Promise<void>): Promise<void> => {
    await using ledger = await open();
    await test(ledger);
  };

  describe(`${name} keeps the Ledger contract`, () => {
    it('take() adds a batch once, in whatever order they come', () =>
      withLedger(async (ledger) => {
        for (const number of [1, 3, 2, 3, 1, 5, 4, 5, 2]) {
          // oxlint-disable-next-line no-await-in-loop -- their order is what is tested
          await ledger.take(batch(number, [entry({ requests: 10 ** number })]));
        }
        assert.equal(await requests(ledger), 111_110);
        assert.equal(await ledger.take(batch(5, [entry({ requests: 1 })])), false);
        assert.equal(await ledger.take(batch(6, [entry({ requests: 1 })])), true);
        assert.equal(await ledger.take({ ...batch(6, [entry({ requests: 1 })]), cell: 'another' }), true);
        assert.equal(await requests(ledger), 111_112);
      }));

    it('take() counts each of many that are given at once', () =>
      withLedger(async (ledger) => {
        const batches = Array.from({ length: 50 }, (_, index) => batch(50 - index, [entry({ requests: 1, cpuUs: 7 })]));
        const taken = await Promise.all([...batches, ...batches].map((each) => ledger.take(each)));
        assert.equal(taken.filter(Boolean).length, 50);
        assert.equal(await requests(ledger), 50);
      }));

    it('sums() adds up by minute, hour, day and month, in UTC', () =>
      withLedger(async (ledger) => {
        await ledger.take(batch(1, [entry({ requests: 1, cpuUs: 10 })], MINUTE));
        await ledger.take(batch(2, [entry({ requests: 1, cpuUs: 100 })], MINUTE + 1));
        await ledger.take(batch(3, [entry({ requests: 1, cpuUs: 1_000 })], MINUTE + 2)); // December
        const until = AT + 86_400_000 * 40;
        const read = async (by: UsageQuery['by'], since: number): Promise<unknown[]> => {
          const sums = await ledger.sums({ account: A, since, until, by }, ALL);
          return sums.map(({ time, totals }) => [new Date(time).toISOString().slice(0, 16), totals.cpuUs]);
        };
        assert.deepEqual(await read('minute', AT), [
          ['2026-11-30T23:58', 10],
          ['2026-11-30T23:59', 100],
          ['2026-12-01T00:00', 1_000],
        ]);
        const [november, december] = [Date.UTC(2026, 10), Date.UTC(2026, 11)];
        assert.deepEqual(await read('hour', november), [
          ['2026-11-30T23:00', 110],
          ['2026-12-01T00:00', 1_000],
        ]);
        assert.deepEqual(await read('day', november), [
          ['2026-11-30T00:00', 110],
          ['2026-12-01T00:00', 1_000],
        ]);
        assert.deepEqual(await read('month', november), [
          ['2026-11-01T00:00', 110],
          ['2026-12-01T00:00', 1_000],
        ]);
        assert.deepEqual(await read('month', december), [['2026-12-01T00:00', 1_000]]);
        assert.deepEqual(await read('minute', AT + 1), (await read('minute', AT)).slice(1)); // begins before `since`
      }));

    it('sums() tells Workers apart, counts outcomes, and never shows what is of another account', () =>
      withLedger(async (ledger) => {
        const other = 'api' as WorkerName;
        await ledger.take(
          batch(1, [
            entry({ requests: 3, errors: 0 }),
            entry({ requests: 1, errors: 1 }, { outcome: 'exception' }),
            entry({ serviceCalls: 2 }, { event: 'service' }),
            entry({ startCpuUs: 5, coldStarts: 1 }, { event: 'start' }),
            entry({ cpuUs: 9 }, { outcome: 'running' }),
            entry({ requests: 4 }, { worker: other }),
            entry({ requests: 1_000 }, { account: B }),
          ]),
        );
        const [merged, ...others] = await ledger.sums({ ...query(), merged: true }, ALL);
        assert.deepEqual([merged?.worker, merged?.outcomes, others], ['', { ok: 9, exception: 1 }, []]);
        const sums = await ledger.sums(query(), ALL);
        assert.deepEqual(
          sums.map(({ worker, outcomes }) => [worker, outcomes]),
          [
            [other, { ok: 4 }],
            [SHOP, { ok: 5, exception: 1 }],
          ],
        );
        const { totals } = sums[1]!;
        assert.deepEqual(totals, {
          ...createTotals(),
          requests: 4,
          errors: 1,
          serviceCalls: 2,
          startCpuUs: 5,
          coldStarts: 1,
          cpuUs: 9,
        });
        assert.deepEqual(await workers(ledger, { worker: SHOP }), [SHOP]);
        assert.deepEqual(await workers(ledger, { worker: 'none' as WorkerName }), []);
        assert.equal((await ledger.sums(query(), 1)).length, 1);
      }));

    it('sums() adds what no double holds exactly without failing', () =>
      withLedger(async (ledger) => {
        const wallUs = Number.MAX_SAFE_INTEGER;
        await ledger.take(batch(1, [entry({ wallUs })]));
        await ledger.take(batch(2, [entry({ wallUs })]));
        assert.equal((await ledger.sums(query(), ALL))[0]?.totals.wallUs, 2 * wallUs);
      }));

    it('deleteAccount() forgets one account, and that again', () =>
      withLedger(async (ledger) => {
        await ledger.take(batch(1, [entry({ requests: 1 }), entry({ requests: 2 }, { account: B })]));
        await ledger.deleteAccount(A);
        await ledger.deleteAccount(A);
        assert.deepEqual(await workers(ledger), []);
        assert.deepEqual(await workers(ledger, { account: B }), [SHOP]);
      }));
  });
}

function batch(number: number, entries: readonly UsageEntry[], minute = MINUTE): UsageBatch {
  return { cell: 'cell', number, minute, entries };
}

function entry(totals: Partial<UsageTotals>, key: Partial<UsageEntry> = {}): UsageEntry {
  return { account: A, worker: SHOP, event: 'fetch', outcome: 'ok', ...key, totals: { ...createTotals(), ...totals } };
}

function query(which: Partial<UsageQuery> = {}): UsageQuery {
  return { account: A, since: AT, until: AT + 60_000, by: 'minute', ...which };
}

async function requests(ledger: Ledger): Promise<number | undefined> {
  const sums: readonly UsageSum[] = await ledger.sums(query(), ALL);
  return sums[0]?.totals.requests;
}

async function workers(ledger: Ledger, which: Partial<UsageQuery> = {}): Promise<string[]> {
  return (await ledger.sums(query(which), ALL)).map(({ worker }) => worker);
}
