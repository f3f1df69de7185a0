import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import { openTestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('accounts', () => {
  it('are listed page by page, echoing the page asked for', async () => {
    await using control = await openTestControl();
    assert.equal(
      (await control.request('PUT', '/client/v4/accounts/acme/isola/account', { name: 'Acme' })).status,
      200,
    );
    const { result, result_info } = await control.request('GET', '/client/v4/accounts?page=2&per_page=1');
    assert.deepEqual(
      result.map(({ id, name }: Record<string, string>) => [id, name]),
      [['main', 'Main']],
    );
    assert.deepEqual(result_info, { page: 2, per_page: 1, count: 1, total_count: 2 });
    const memberships = await control.request('GET', '/client/v4/memberships?page=1');
    assert.deepEqual(
      memberships.result.map((item: { account: { id: string } }) => item.account.id),
      ['acme', 'main'],
    );
    assert.equal((await control.request('GET', '/client/v4/accounts/acme')).result.name, 'Acme');
  });

  it('begin with the limits of accountLimits, and are renamed without losing theirs', async () => {
    await using control = await openTestControl({ accountLimits: { cpuMs: 30 } });
    const path = '/client/v4/accounts/acme/isola/account';
    await control.request('PUT', path);
    assert.equal((await control.registry.account('acme' as AccountId))?.name, 'acme');
    await control.request('PUT', '/client/v4/accounts/acme/isola/limits', { cpuMs: 40 });
    await control.request('PUT', path, { name: 'Acme' });
    const account = await control.registry.account('acme' as AccountId);
    assert.deepEqual([account?.name, account?.limits], ['Acme', { cpuMs: 40 }]);
  });

  it('are refused names that are no DNS label', async () => {
    await using control = await openTestControl();
    for (const id of ['-a', 'a-', 'A', 'a_b', 'a'.repeat(64), 'a%2eb', '%00']) {
      const { status } = await control.request('PUT', `/client/v4/accounts/${id}/isola/account`);
      assert.equal(status, 400, id);
    }
  });

  it('and Workers have limits, within their ranges', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    for (const path of ['/isola/limits', `${SCRIPT}/isola/limits`]) {
      const limits = { cpuMs: 300_000, memoryMiB: 8, subrequests: 0, wasmBinaryMiB: 0 };
      const set = await control.request('PUT', path, limits);
      assert.deepEqual([set.status, set.result], [200, limits]);
      for (const bad of [
        { cpuMs: 300_001 },
        { cpuMs: 0 },
        { memoryMiB: 7 },
        { subrequests: -1 },
        { wasmBinaryMiB: 17 },
        { cpuMs: 1.5 },
        { other: 1 },
      ]) {
        assert.equal((await control.request('PUT', path, bad)).status, 400, JSON.stringify(bad));
      }
    }
    const { result } = await control.request('GET', `${SCRIPT}/versions`);
    assert.equal(result.items[0].resources.script_runtime.limits.cpu_ms, 300_000);
    assert.equal((await control.request('PUT', '/workers/scripts/none/isola/limits', {})).errors[0]?.code, 10007);
  });
});
