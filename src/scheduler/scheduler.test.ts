import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { MAX_RUNNING_SCHEDULED } from '../limits.ts';
import type { Schedules } from '../store/index.ts';
import { openSqliteStores, type SqliteStores } from '../store/sqlite/index.ts';
import { addWorker } from '../store/testing.ts';
import { parseCron } from './cron-expression.ts';
import { type ScheduledEvent, Scheduler } from './scheduler.ts';
import { FakeClock } from './testing.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const HELLO = 'hello' as WorkerName;
const START = Date.UTC(2026, 10, 29, 20, 15, 30);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('Scheduler', () => {
  let stores: SqliteStores;
  let clock: FakeClock;
  let fired: ScheduledEvent[];
  let suspended: Set<AccountId>;
  let errors: unknown[];
  let running: Scheduler[];
  let fire: (event: ScheduledEvent) => Promise<{ outcome: string; cpuUs: number; wallMs: number }>;

  before(() => {});
  beforeEach(async () => {
    stores = openSqliteStores(':memory:');
    clock = new FakeClock(START);
    fired = [];
    suspended = new Set();
    errors = [];
    running = [];
    fire = async () => ({ outcome: 'ok', cpuUs: 5, wallMs: 2 });
    await addWorker(stores.registry, A, HELLO);
    await addWorker(stores.registry, B, HELLO);
  });
  after(() => stores.close());

  const start = async (schedules: Schedules = stores.schedules): Promise<Scheduler> => {
    const scheduler = new Scheduler({
      schedules,
      fire: (event) => {
        fired.push(event);
        return fire(event);
      },
      isSuspended: async (account) => suspended.has(account),
      clock,
      onError: (error) => errors.push(error),
    });
    running.push(scheduler);
    await scheduler.start();
    return scheduler;
  };
  const put = (account: AccountId, ...crons: string[]) =>
    stores.schedules.replace(account, HELLO, {
      crons: crons.map((cron) => ({ cron, nextDue: parseCron(cron).next(clock.now()) ?? 0 })),
      now: clock.now(),
    });
  const times = (): string[] =>
    fired.map(
      ({ scheduledTime, missed }) => new Date(scheduledTime).toISOString().slice(11, 16) + (missed ? ' missed' : ''),
    );

  it('fires at each due time, with the expression as it was given', async () => {
    await put(A, '*/2  * * * *');
    await start();
    await clock.advance(5 * MINUTE);
    assert.deepEqual(times(), ['20:16', '20:18', '20:20']);
    assert.deepEqual(fired[0], {
      account: A,
      worker: HELLO,
      cron: '*/2  * * * *',
      scheduledTime: Date.UTC(2026, 10, 29, 20, 16),
      missed: false,
    });
  });

  it('needs no word of what is added, changed or deleted', async () => {
    await start();
    await clock.advance(MINUTE);
    await put(A, '* * * * *');
    await clock.advance(MINUTE);
    await put(A, '0 0 1 1 *');
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:17']);
    await put(A, '* * * * *');
    await stores.registry.deleteWorker(A, HELLO);
    await clock.advance(MINUTE);
    assert.equal(fired.length, 1);
  });

  it('goes on after a restart, and runs a due time once', async () => {
    await put(A, '* * * * *');
    const first = await start();
    await clock.advance(MINUTE);
    await first.close();
    await start();
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:16', '20:17']);
  });

  it('runs the last of the due times that were missed, marked, and then goes on', async () => {
    await put(A, '* * * * *');
    await put(B, '0 3 * * *');
    await clock.advance(2 * DAY);
    await start();
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:15 missed', '03:00 missed', '20:16']);
  });

  it('does not run again what was claimed before a crash; its outcome is unknown', async () => {
    await put(A, '* * * * *');
    fire = () => new Promise(() => {}); // the process is gone before it ends
    await start();
    await clock.advance(MINUTE);
    clock = new FakeClock(clock.now());
    fire = async () => ({ outcome: 'ok', cpuUs: 5, wallMs: 2 });
    await start();
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:16', '20:17']);
    const [schedule] = await stores.schedules.list(A, HELLO);
    assert.deepEqual(
      schedule?.runs.map(({ outcome }) => outcome),
      ['ok', 'unknown'],
    );
  });

  it('fires no storm when the clock jumps ahead', async () => {
    await put(A, '* * * * *');
    await start();
    await clock.advance(MINUTE);
    clock.jump(5 * HOUR);
    await clock.advance(2 * MINUTE);
    assert.deepEqual(times(), ['20:16', '01:17 missed', '01:18']);
  });

  it('runs nothing twice when the clock is put back a little', async () => {
    await put(A, '* * * * *');
    await start();
    await clock.advance(3 * MINUTE);
    clock.jump(-2 * MINUTE);
    await clock.advance(3 * MINUTE);
    assert.deepEqual(times(), ['20:16', '20:17', '20:18', '20:19']);
  });

  it('begins anew when the clock is put back by far', async () => {
    clock.jump(1_000 * DAY);
    await put(A, '* * * * *');
    await start();
    await clock.advance(MINUTE);
    clock.jump(-1_000 * DAY);
    await clock.advance(2 * MINUTE);
    assert.deepEqual(times(), ['20:16', '20:18']);
  });

  it('passes over the due times of a suspended account', async () => {
    await put(A, '* * * * *');
    await put(B, '* * * * *');
    suspended.add(A);
    await start();
    await clock.advance(2 * MINUTE);
    assert.deepEqual(
      fired.map(({ account }) => account),
      [B, B],
    );
    suspended.clear();
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:16', '20:17', '20:18', '20:18']);
  });

  it('notes how runs ended, also those that could not be run', async () => {
    await put(A, '* * * * *');
    fire = async () => {
      throw new Error('no cell');
    };
    const scheduler = await start();
    await clock.advance(MINUTE);
    fire = async () => ({ outcome: 'exception', cpuUs: 7, wallMs: 3 });
    await clock.advance(MINUTE);
    await scheduler.close();
    const [schedule] = await stores.schedules.list(A, HELLO);
    assert.deepEqual(
      schedule?.runs.map(({ outcome, cpuUs }) => [outcome, cpuUs]),
      [
        ['exception', 7],
        ['internalError', 0],
      ],
    );
    assert.match(String(errors), /no cell/);
  });

  it('close() waits for what runs, and begins nothing more', async () => {
    await put(A, '* * * * *');
    const ended = Promise.withResolvers<{ outcome: string; cpuUs: number; wallMs: number }>();
    fire = () => ended.promise;
    const scheduler = await start();
    await clock.advance(MINUTE);
    const closed = scheduler.close();
    await clock.advance(MINUTE);
    ended.resolve({ outcome: 'ok', cpuUs: 1, wallMs: 1 });
    await closed;
    assert.deepEqual(times(), ['20:16']);
    assert.equal((await stores.schedules.list(A, HELLO))[0]?.runs[0]?.outcome, 'ok');
  });

  it('spreads many over the minute, accounts by turns', async () => {
    const crons = Array.from({ length: 60 }, (_, index) => `${index},16 * * * *`);
    await put(A, ...crons);
    await put(B, '* * * * *');
    await start();
    await clock.advance(30_000);
    assert.equal(fired.length, 10);
    assert.equal(fired.filter(({ account }) => account === B).length, 1);
    await clock.advance(20_000);
    assert.equal(fired.length, 61);
  });

  it('lets an account that is at its limit wait, and nobody else', async () => {
    const many = Array.from({ length: 60 }, (_, index) => `${index},16 * * * *`);
    const more = Array.from({ length: 50 }, (_, index) => `${index},16 * * * 1-7`);
    await put(A, ...many, ...more);
    await put(B, '16 * * * *');
    const ends: (() => void)[] = [];
    fire = () => new Promise((resolve) => ends.push(() => resolve({ outcome: 'ok', cpuUs: 1, wallMs: 1 })));
    await start();
    await clock.advance(MINUTE);
    assert.equal(fired.length, MAX_RUNNING_SCHEDULED + 1);
    for (const end of ends.splice(0)) end();
    await clock.advance(10_000);
    assert.equal(fired.length, 111);
    for (const end of ends) end();
  });

  it('is not held up by an expression that it does not understand', async () => {
    await stores.schedules.replace(A, HELLO, { crons: [{ cron: 'nonsense', nextDue: 1 }], now: 0 });
    await put(B, '* * * * *');
    await start();
    await clock.advance(MINUTE);
    assert.deepEqual(times(), ['20:16']);
    assert.match(String(errors), /nonsense/);
  });
});
