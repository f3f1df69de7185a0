import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { type DueSchedule, RUNS_KEPT, type ScheduleClaim, type Schedules } from './schedules.ts';

export interface OpenSchedules extends AsyncDisposable {
  readonly schedules: Schedules;
  readonly addWorker: (account: AccountId, worker: WorkerName) => Promise<void>;
  readonly deleteWorker: (account: AccountId, worker: WorkerName) => Promise<void>;
}

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const HELLO = 'hello' as WorkerName;
const EVERY_MINUTE = '* * * * *';

/** The tests that every Schedules adapter passes. `open` gives an empty one. */
export function schedulesContract(name: string, open: () => Promise<OpenSchedules>): void {
  const withSchedules = async (test: (opened: OpenSchedules) => Promise<void>): Promise<void> => {
    await using opened = await open();
    await opened.addWorker(A, HELLO);
    await opened.addWorker(B, HELLO);
    await test(opened);
  };
  const put = (schedules: Schedules, account: AccountId, dues: Readonly<Record<string, number>>, now = 0) =>
    schedules.replace(account, HELLO, {
      crons: Object.entries(dues).map(([cron, nextDue]) => ({ cron, nextDue })),
      now,
    });
  const claimOf = ({ id, nextDue }: DueSchedule, changes: Partial<ScheduleClaim> = {}): ScheduleClaim => ({
    id,
    nextDue,
    due: nextDue,
    missed: false,
    next: nextDue + 10,
    now: nextDue,
    ...changes,
  });
  const only = async (schedules: Schedules, now: number): Promise<DueSchedule> => {
    const [due, ...more] = await schedules.due(now, 10);
    assert.ok(due !== undefined && more.length === 0);
    return due;
  };

  describe(`${name} keeps the Schedules contract`, () => {
    it('replace() gives the Worker these and no others, in this order; those it had go on as they were', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { one: 10, two: 20 }, 1);
        await schedules.claim([claimOf(await only(schedules, 10))]);
        const replaced = await put(schedules, A, { three: 30, one: 99 }, 2);
        assert.deepEqual(
          replaced.map(({ cron, nextDue, createdOn, modifiedOn, runs }) => [
            cron,
            nextDue,
            createdOn,
            modifiedOn,
            runs.length,
          ]),
          [
            ['three', 30, 2, 2, 0],
            ['one', 20, 1, 2, 1],
          ],
        );
        assert.deepEqual(await schedules.list(A, HELLO), replaced);
        assert.deepEqual(await schedules.list(B, HELLO), []);
        assert.deepEqual(await put(schedules, A, {}), []);
      }));

    it('replace() of a Worker that is not there changes nothing', () =>
      withSchedules(async ({ schedules }) => {
        const nobody = 'nobody' as WorkerName;
        await assert.rejects(schedules.replace(A, nobody, { crons: [{ cron: EVERY_MINUTE, nextDue: 1 }], now: 0 }), {
          name: 'PlatformError',
          kind: 'workerNotFound',
        });
        assert.deepEqual(await schedules.due(100, 10), []);
      }));

    it('schedules go with their Worker, and one of the same name begins without', () =>
      withSchedules(async ({ schedules, addWorker, deleteWorker }) => {
        await put(schedules, A, { [EVERY_MINUTE]: 10 });
        const due = await only(schedules, 10);
        await schedules.claim([claimOf(due)]);
        await deleteWorker(A, HELLO);
        await addWorker(A, HELLO);
        assert.deepEqual(await schedules.list(A, HELLO), []);
        assert.deepEqual(await schedules.claim([claimOf({ ...due, nextDue: 20 })]), [false]);
      }));

    it('due() gives those whose time has come, accounts by turns', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { first: 1, second: 2, third: 3, later: 100 });
        await put(schedules, B, { other: 3 });
        const crons = async (limit: number) => (await schedules.due(50, limit)).map(({ cron }) => cron);
        assert.deepEqual(await crons(10), ['first', 'other', 'second', 'third']);
        assert.deepEqual(await crons(2), ['first', 'other']);
        const [due] = await schedules.due(50, 1);
        assert.deepEqual({ ...due, id: 0 }, { id: 0, account: A, worker: HELLO, cron: 'first', nextDue: 1 });
      }));

    it('claim() succeeds once for a due time', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { [EVERY_MINUTE]: 10 });
        const due = await only(schedules, 10);
        assert.deepEqual(await schedules.claim([claimOf(due, { missed: true, now: 12 }), claimOf(due)]), [true, false]);
        assert.deepEqual(await schedules.due(19, 10), []);
        const [schedule] = await schedules.list(A, HELLO);
        assert.equal(schedule?.nextDue, 20);
        assert.deepEqual(schedule.runs, [{ due: 10, missed: true, startedOn: 12 }]);
        assert.deepEqual(await schedules.claim([claimOf({ ...due, nextDue: 20 }, { due: 10 })]), [false]);
      }));

    it('claim() of many fails only for those that are gone', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { one: 1, two: 2 });
        const dues = await schedules.due(10, 10);
        await put(schedules, A, { two: 2 });
        assert.deepEqual(await schedules.claim(dues.map((due) => claimOf(due))), [false, true]);
      }));

    it('endRuns() tells how runs went; the last ones are kept, newest first', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { [EVERY_MINUTE]: 0 });
        for (let due = 0; due < (RUNS_KEPT + 2) * 10; due += 10) {
          const found = await only(schedules, due);
          await schedules.claim([claimOf(found)]);
          await schedules.endRuns([{ id: found.id, due, outcome: 'ok', cpuUs: 7.4, wallMs: 1.5 }]);
        }
        const runs = (await schedules.list(A, HELLO))[0]?.runs;
        assert.equal(runs?.length, RUNS_KEPT);
        const due = (RUNS_KEPT + 1) * 10;
        assert.deepEqual(runs[0], { due, missed: false, startedOn: due, outcome: 'ok', cpuUs: 7, wallMs: 1.5 });
      }));

    it('abandonRuns() marks what had no end', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { [EVERY_MINUTE]: 10 });
        await schedules.claim([claimOf(await only(schedules, 10))]);
        await schedules.abandonRuns();
        assert.equal((await schedules.list(A, HELLO))[0]?.runs[0]?.outcome, 'unknown');
      }));

    it('skip() passes over due times, and forgets the runs of a clock that has been put back', () =>
      withSchedules(async ({ schedules }) => {
        await put(schedules, A, { [EVERY_MINUTE]: 1_000 });
        await schedules.claim([claimOf(await only(schedules, 1_000))]);
        assert.deepEqual(await schedules.ranAfter(1_000, 10), []);
        const [ahead] = await schedules.ranAfter(999, 10);
        assert.equal(ahead?.nextDue, 1_010);
        await schedules.skip([{ id: ahead.id, nextDue: 1_010, next: 50 }]);
        assert.deepEqual(await schedules.ranAfter(0, 10), []);
        assert.deepEqual(await schedules.claim([claimOf(await only(schedules, 50), { next: 1_000 })]), [true]);
        assert.deepEqual(await schedules.claim([claimOf(await only(schedules, 1_000))]), [true]);
        await schedules.skip([{ id: ahead.id, nextDue: 7, next: 8 }]);
        assert.equal((await schedules.list(A, HELLO))[0]?.nextDue, 1_010);
      }));
  });
}
