import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { AccountData } from '../store/index.ts';
import { AccountLifecycle } from './account-lifecycle.ts';
import { HELLO, MAIN, openTestControl, TOKEN } from './testing.ts';

describe('an account', () => {
  it('is made once, renamed, and shown with its status', async () => {
    await using control = await openTestControl();
    const path = '/client/v4/accounts/acme/isola/account';
    assert.equal((await control.request('POST', path, { name: 'Acme' })).result.status, 'active');
    const again = await control.request('POST', path, { name: 'Acme' });
    assert.deepEqual([again.status, again.errors[0]?.code], [409, 10311]);
    assert.equal((await control.request('PUT', path, { name: 'Acme Ltd' })).result.name, 'Acme Ltd');
    assert.equal((await control.request('POST', path, { name: 'a\nb' })).status, 400);
  });

  it('that is suspended serves nobody, refuses its tokens, and stays open to the operator', async () => {
    await using control = await openTestControl();
    const { result } = await control.request('POST', '/isola/tokens', { name: 'ci', scopes: ['workers:write'] });
    const asTenant = () =>
      control.app.inject({ url: '/client/v4/accounts', headers: { authorization: `Bearer ${result.token}` } });
    assert.equal((await control.request('PUT', '/isola/status', { status: 'suspended' })).result.status, 'suspended');
    assert.deepEqual([...control.platform.suspended], [MAIN]);
    const refused = await asTenant();
    assert.equal(refused.statusCode, 403);
    assert.equal(refused.json().errors[0].code, 10310);
    assert.equal((await control.upload('/workers/scripts/hello', {})).status, 200);
    await control.request('PUT', '/isola/status', { status: 'active' });
    assert.deepEqual([...control.platform.suspended], []);
    assert.equal((await asTenant()).statusCode, 200);
  });

  it('is deleted with everything in it, when it is suspended or by force', async () => {
    await using control = await openTestControl();
    await control.upload('/workers/scripts/hello', {});
    const { result } = await control.request('POST', '/isola/tokens', { name: 'ci', scopes: ['workers:write'] });
    const refused = await control.request('DELETE', '/isola/account');
    assert.deepEqual([refused.status, refused.errors[0]?.code], [409, 10312]);
    assert.equal((await control.request('DELETE', '/isola/account?force=true')).status, 200);
    assert.deepEqual(control.platform.withdrawn, [`${MAIN}/${HELLO}`]);
    assert.deepEqual([...control.platform.suspended], []);
    assert.equal((await control.request('GET', '')).status, 404);
    assert.equal((await control.request('GET', '/workers/scripts/hello/versions')).status, 404);
    assert.equal((await control.request('DELETE', '/isola/account')).status, 404);
    const asTenant = await control.app.inject({
      url: '/client/v4/accounts',
      headers: { authorization: `Bearer ${result.token}` },
    });
    assert.equal(asTenant.statusCode, 401);
  });

  it('whose deletion was cut short is finished at the next start, and free to be made again', async () => {
    const told: string[] = [];
    let fails = true;
    const data: AccountData[] = [
      { deleteAccount: async (id) => void told.push(`first ${id}`) },
      {
        async deleteAccount(id) {
          if (fails) throw new Error('disk full');
          told.push(`second ${id}`);
        },
      },
    ];
    await using control = await openTestControl();
    const { registry, platform } = control;
    const lifecycle = new AccountLifecycle({ registry, platform, data });
    await assert.rejects(lifecycle.delete(MAIN, { force: true }), /disk full/);
    assert.equal(await registry.account(MAIN), undefined);
    assert.ok(platform.suspended.has(MAIN));
    await assert.rejects(registry.putAccount({ id: MAIN, name: 'x', createdOn: new Date().toISOString() }), {
      kind: 'overloaded',
    });
    fails = false;
    await new AccountLifecycle({ registry, platform, data }).finishDeletions();
    assert.deepEqual(told, [`first ${MAIN}`, `first ${MAIN}`, `second ${MAIN}`]);
    await registry.putAccount({ id: MAIN, name: 'x', createdOn: new Date().toISOString() });
    assert.equal(platform.suspended.has(MAIN), false);
  });

  it('tells open connections when it is suspended', async () => {
    await using control = await openTestControl();
    const closed: AccountId[] = [];
    const data = [{ suspendAccount: (id: AccountId) => void closed.push(id) }];
    await new AccountLifecycle({ ...control, data }).suspend(MAIN);
    assert.deepEqual(closed, [MAIN]);
  });
});

describe('the audit log', () => {
  it('is read by the operator, and by an account in its own part', async () => {
    await using control = await openTestControl();
    const { result } = await control.request('POST', '/isola/tokens', { name: 'ci', scopes: ['account:read'] });
    const madeAt = Date.now();
    const entry = { actor: 'ci', tokenId: 't', action: 'worker.delete', target: 'hello', ip: '10.0.0.1' };
    await control.audit.begin({ ...entry, at: madeAt, account: MAIN });
    await control.audit.begin({ ...entry, at: madeAt, account: 'other' as AccountId });
    const list = async (token: string, path: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await control.app.inject({ url: `/client/v4${path}`, headers });
      const entries = (response.json<{ result: { account: string; action: string }[] | null }>().result ?? []).filter(
        ({ action }) => action === 'worker.delete',
      );
      return [response.statusCode, entries.map(({ account }) => account)];
    };
    assert.deepEqual(await list(TOKEN, '/isola/audit'), [200, ['other', 'main']]);
    assert.deepEqual(await list(result.token, '/isola/audit'), [403, []]);
    assert.deepEqual(await list(result.token, '/accounts/main/isola/audit'), [200, ['main']]);
    assert.deepEqual(await list(result.token, '/accounts/other/isola/audit'), [404, []]);
    assert.deepEqual(await list(TOKEN, '/isola/audit?limit=0'), [400, []]);
    assert.deepEqual(await list(TOKEN, '/isola/audit?action=worker&actor=ci&since=2026-01-01T00:00:00Z&limit=1'), [
      200,
      ['other'],
    ]);
  });

  it('shows no account what happened to an earlier one of its id', async () => {
    await using control = await openTestControl();
    const at = Date.parse('2020-01-01');
    const entry = { actor: 'ci', tokenId: 't', action: 'worker.delete', target: 'hello', ip: '10.0.0.1' };
    await control.audit.begin({ ...entry, at, account: MAIN });
    await control.request('DELETE', '/isola/account?force=true');
    await control.request('POST', '/isola/account', {});
    const { result } = await control.request('POST', '/isola/tokens', { name: 'ci', scopes: ['account:read'] });
    const headers = { authorization: `Bearer ${result.token}` };
    const own = await control.app.inject({ url: '/client/v4/accounts/main/isola/audit?action=worker', headers });
    assert.deepEqual(own.json().result, []);
    assert.equal((await control.request('GET', '/isola/audit?action=worker')).result.length, 1);
  });
});
