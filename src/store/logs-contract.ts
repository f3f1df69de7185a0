import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { LogQuery, LogQuota, LogStore } from './logs.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const DAY_MS = 86_400_000;
const NO_QUOTA: LogQuota = { days: Infinity, accountBytes: Infinity, totalBytes: Infinity };

/** The tests that every LogStore adapter passes. `open` gives an empty one. */
export function logStoreContract(
  name: string,
  open: (options: { quota: LogQuota; now: () => number }) => Promise<LogStore>,
): void {
  const withStore = async (
    test: (store: LogStore, setNow: (at: number) => void) => Promise<void>,
    quota: Partial<LogQuota> = {},
  ): Promise<void> => {
    let now = 1_000_000_000_000;
    await using store = await open({ quota: { ...NO_QUOTA, ...quota }, now: () => now });
    await test(store, (at) => {
      now = at;
    });
  };
  const add = async (store: LogStore, lines: readonly string[], account = A): Promise<void> => {
    for (const line of lines) store.append(account, line);
    await store.flush();
  };
  const rays = async (store: LogStore, query: Partial<LogQuery> = {}, account = A): Promise<string> => {
    const { entries } = await store.list(account, { limit: 100, ...query });
    return entries.map(({ ray }) => ray).join(' ');
  };

  describe(`${name} keeps the LogStore contract`, () => {
    it('list() gives what was appended, newest first', () =>
      withStore(async (store) => {
        await add(store, [
          makeLine({ ray: 'r1', method: 'GET', url: 'http://x/?q=1&apiToken=abc', logs: [toLog('hello')] }),
          makeLine({ ray: 'r2', outcome: 'exception', exceptions: [{ name: 'E', message: 'm', stack: 's' }] }),
        ]);
        const { entries, next } = await store.list(A, { limit: 10 });
        assert.equal(next, undefined);
        const [second, first] = entries.map(({ id, ...entry }) => (assert.ok(id > 0), entry));
        assert.deepEqual(first, {
          ray: 'r1',
          worker: 'w',
          version: 'v',
          event: 'fetch',
          outcome: 'ok',
          at: 5,
          status: 200,
          method: 'GET',
          url: 'http://x/?q=1&apiToken=REDACTED',
          cpuUs: 1_500,
          wallMs: 2.5,
          logs: [{ level: 'log', message: 'hello', at: 6 }],
          exceptions: [],
          truncated: false,
          dropped: 0,
        });
        assert.deepEqual(second?.exceptions, [{ name: 'E', message: 'm', stack: 's' }]);
      }));

    it('list() finds nothing of another account', () =>
      withStore(async (store) => {
        await add(store, [makeLine({ ray: 'mine', logs: [toLog('canary')] })]);
        await add(store, [makeLine({ ray: 'theirs', logs: [toLog('canary')] })], B);
        assert.equal(await rays(store), 'mine');
        assert.equal(await rays(store, { text: 'canary' }), 'mine');
        assert.equal(await rays(store, {}, 'nobody' as AccountId), '');
      }));

    it('list() filters by Worker, outcome and time, and goes a page at a time', () =>
      withStore(async (store, setNow) => {
        setNow(2_000);
        await add(store, [makeLine({ ray: '1' }), makeLine({ ray: '2', worker: 'x' })]);
        setNow(3_000);
        await add(store, [makeLine({ ray: '3', outcome: 'exception' }), makeLine({ ray: '4' })]);
        assert.equal(await rays(store, { worker: 'x' }), '2');
        assert.equal(await rays(store, { outcome: 'exception' }), '3');
        assert.equal(await rays(store, { since: 3_000 }), '4 3');
        assert.equal(await rays(store, { until: 3_000 }), '2 1');
        assert.equal(await rays(store, { since: 2_000, until: 3_000, worker: 'w' }), '1');
        const page = await store.list(A, { limit: 3 });
        assert.equal(page.entries.length, 3);
        assert.equal(await rays(store, { before: page.next! }), '1');
        assert.equal(await rays(store, { after: page.entries[1]!.id }), '4');
      }));

    it('list() finds text in any case and anywhere: in lines, exceptions, URLs and rays', () =>
      withStore(async (store) => {
        await add(store, [
          makeLine({ ray: '1', logs: [toLog('Order 4711 of ÄRGER'), toLog('second')] }),
          makeLine({ ray: '2', exceptions: [{ name: 'TypeError', message: 'x is not a function', stack: 'at a.js' }] }),
          makeLine({ ray: 'abcdef', url: 'http://shop/cart?item=4711' }),
        ]);
        const cases: Record<string, string> = {
          4711: 'abcdef 1',
          'order second': '1',
          '"order 4711"': '1',
          '"4711 order"': '',
          ärger: '1',
          RDE: '1',
          'typeerror: x': '2',
          'a.js': '2',
          cart: 'abcdef',
          BCDE: 'abcdef',
          is: '2',
          'of 47': '1',
          absent: '',
        };
        for (const [text, found] of Object.entries(cases)) {
          // oxlint-disable-next-line no-await-in-loop -- one message for each
          assert.equal(await rays(store, { text }), found, text);
        }
      }));

    it('list() takes any text as text', () =>
      withStore(async (store) => {
        const hostile = [
          '" OR "a',
          "' OR 1=1 --",
          'text:abc',
          'a* NEAR(b c)',
          '-abc NOT def',
          '^abc',
          '(((',
          '\0\0\0\0',
        ];
        hostile.push('\ud800abc', '{ray} : abc', '\u{f0000}\u{f0000}\u{f0001}', '"""""', '%_%_%', 'x'.repeat(5_000));
        for (const text of hostile) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          assert.equal(await rays(store, { text }), '', text);
        }
        await add(
          store,
          hostile.map((text, at) => makeLine({ ray: `ray${at}`, logs: [toLog(text)] })),
        );
        // oxlint-disable-next-line unicorn/no-unnecessary-array-flat-depth -- quotes are the search's own
        assert.equal(await rays(store, { text: 'NEAR(b' }), 'ray3');
        assert.equal(await rays(store, { text: '1=1 --' }), 'ray1');
      }));

    it('append() takes no line at its word', () =>
      withStore(async (store) => {
        await add(store, [
          'not JSON',
          '[]',
          'null',
          '{"ray":"no worker","account":"a"}',
          makeLine({
            ray: 1,
            outcome: 'x'.repeat(101),
            status: 'high',
            at: 1e300,
            wallMs: -1,
            logs: [{ level: 'log' }],
          }),
          makeLine({ ray: 'ok', cpuUs: -5, exceptions: 'none', url: {}, dropped: -1, logs: [toLog('l')], extra: 1 }),
        ]);
        const { entries } = await store.list(A, { limit: 10 });
        const [second, first] = entries;
        assert.equal(entries.length, 2);
        assert.deepEqual(
          [first?.ray, first?.outcome, first?.status, first?.at, first?.wallMs, first?.logs],
          ['', 'unknown', 0, 0, 0, []],
        );
        assert.deepEqual([second?.cpuUs, second?.exceptions, second?.url, second?.dropped], [0, [], undefined, 0]);
      }));

    it('keeps entries for so many days', () =>
      withStore(
        async (store, setNow) => {
          setNow(10 * DAY_MS);
          await add(store, [makeLine({ ray: 'old', logs: [toLog('canary')] })]);
          setNow(12 * DAY_MS);
          await add(store, [makeLine({ ray: 'new', logs: [toLog('canary')] })]);
          assert.equal(await rays(store), 'new old');
          setNow(12 * DAY_MS + 1);
          await store.flush();
          assert.equal(await rays(store), 'new');
          assert.equal(await rays(store, { text: 'canary' }), 'new');
        },
        { days: 2 },
      ));

    for (const [what, quota] of [
      ['an account, the newest, whatever others have', { accountBytes: 110_000 }],
      ['all together: who has the most loses first', { totalBytes: 110_000 }],
    ] as const) {
      it(`keeps so much of ${what}`, () =>
        withStore(async (store) => {
          await add(store, [makeLine({ ray: 'other' })], B);
          const line = 'x'.repeat(10_000);
          for (let at = 0; at < 30; at++) store.append(A, makeLine({ ray: `r${at}`, logs: [toLog(line)] }));
          await store.flush();
          assert.match(await rays(store), /^r29 r28 .*r2[5-8]$/);
          assert.equal(await rays(store, {}, B), 'other');
        }, quota));
    }

    it('deleteAccount() removes all of it, also what was on the way, and nothing of others', () =>
      withStore(async (store) => {
        await add(store, [makeLine({ ray: 'other' })], B);
        await add(store, [makeLine({ ray: '1' })]);
        store.append(A, makeLine({ ray: '2' }));
        await store.deleteAccount(A);
        await store.deleteAccount(A);
        assert.equal(await rays(store), '');
        await add(store, [makeLine({ ray: 'again' })]);
        assert.equal(await rays(store), 'again');
        assert.equal(await rays(store, {}, B), 'other');
      }));
  });
}

export function makeLine(overrides: Record<string, unknown> = {}): string {
  const record = { ray: 'r', account: 'a', worker: 'w', version: 'v', event: 'fetch', outcome: 'ok', status: 200 };
  const rest = { cpuUs: 1_500, wallMs: 2.5, at: 5, logs: [], exceptions: [], truncated: false };
  return JSON.stringify({ ...record, ...rest, ...overrides });
}

export function toLog(message: string): object {
  return { level: 'log', message, timestamp: 6 };
}
