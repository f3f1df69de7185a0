import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import { makeLine, toLog } from '../store/logs-contract.ts';
import { MAIN, openTestControl } from './testing.ts';

describe('GET /accounts/:account/isola/logs', () => {
  it('shows what invocations logged and threw, newest first, a page at a time', async () => {
    await using control = await openTestControl();
    const exceptions = [{ name: 'Error', message: 'boom', stack: '' }];
    control.logs.append(MAIN, makeLine({ ray: 'r1', logs: [toLog('first')], method: 'GET', url: 'http://x/' }));
    control.logs.append(MAIN, makeLine({ ray: 'r2', worker: 'other', outcome: 'exception', exceptions }));
    await control.logs.flush();
    const { result, result_info: info } = await control.request('GET', '/isola/logs?limit=1');
    const [{ id, ...entry }] = result;
    assert.deepEqual(info, { count: 1, cursor: id });
    assert.deepEqual(entry, {
      ray: 'r2',
      worker: 'other',
      version: 'v',
      event: 'fetch',
      outcome: 'exception',
      at: '1970-01-01T00:00:00.005Z',
      status: 200,
      cpu_us: 1_500,
      wall_ms: 2.5,
      logs: [],
      exceptions: [{ name: 'Error', message: 'boom' }],
      truncated: false,
      dropped: 0,
    });
    const rays = async (query: string): Promise<string> => {
      const answer = await control.request('GET', `/isola/logs?${query}`);
      return answer.result.map(({ ray }: { ray: string }) => ray).join(' ');
    };
    assert.equal(await rays(`cursor=${id}`), 'r1');
    assert.equal(await rays(`after=${id}`), '');
    assert.equal(await rays('worker=other'), 'r2');
    assert.equal(await rays('outcome=ok'), 'r1');
    assert.equal(await rays(`text=${encodeURIComponent('" OR "')}`), '');
    assert.equal(await rays('text=FIRST'), 'r1');
    assert.equal(await rays('until=2001-01-01T00:00:00Z'), '');
    for (const bad of ['since=yesterday', 'limit=0', 'limit=1001', 'cursor=x', `text=${'x'.repeat(201)}`]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.equal((await control.request('GET', `/isola/logs?${bad}`)).status, 400, bad);
    }
  });

  it('shows an account its own, and nothing of one that had its id before', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    await using control = await openTestControl({ now: () => now });
    const other = 'other' as AccountId;
    control.logs.append(other, makeLine({ ray: 'before' }));
    await control.logs.flush();
    now += 1_000;
    await control.request('PUT', '/client/v4/accounts/other/isola/account', { name: 'Other' });
    control.logs.append(other, makeLine({ ray: 'since' }));
    await control.logs.flush();
    const { result } = await control.request('GET', '/client/v4/accounts/other/isola/logs');
    assert.deepEqual(
      result.map(({ ray }: { ray: string }) => ray),
      ['since'],
    );
    assert.deepEqual((await control.request('GET', '/isola/logs')).result, []);
  });
});
