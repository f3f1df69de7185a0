import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import { type Answer, openTestControl, type TestControl, TOKEN } from './testing.ts';

const ACME = 'acme' as AccountId;
const EVERYTHING = ['account:read', 'workers:write', 'kv:write', 'tail:read', 'admin'];

interface Ask {
  (token: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
}

async function withControl(test: (ask: Ask, control: TestControl) => Promise<void>, now?: () => number): Promise<void> {
  await using control = await openTestControl(now === undefined ? {} : { now });
  await control.registry.putAccount({ id: ACME, name: 'Acme', createdOn: new Date(0).toISOString() });
  const ask: Ask = async (token, method, path, body) => {
    const response = await control.app.inject({
      method,
      url: `/client/v4${path}`,
      headers: { authorization: `Bearer ${token}` },
      ...(body !== undefined && { payload: JSON.stringify(body) }),
    });
    return { status: response.statusCode, ...response.json<Omit<Answer, 'status'>>() };
  };
  await test(ask, control);
}

async function makeToken(ask: Ask, scopes: readonly string[], path = '/accounts/acme/isola/tokens'): Promise<string> {
  return (await ask(TOKEN, 'POST', path, { name: 'ci', scopes })).result.token as string;
}

describe('tokens', () => {
  it('are shown once, work at once, and for their account only', () =>
    withControl(async (ask) => {
      const { result } = await ask(TOKEN, 'POST', '/accounts/acme/isola/tokens', { name: 'ci', scopes: EVERYTHING });
      assert.match(result.token, /^isola_[\w-]{43}$/);
      assert.deepEqual([result.account, result.name, result.expires_on], ['acme', 'ci', null]);
      const [entry] = (await ask(TOKEN, 'GET', '/isola/audit?action=token.create')).result;
      assert.deepEqual([entry.target, entry.account, entry.actor], [`${result.id} ci`, 'acme', 'operator']);
      assert.equal((await ask(result.token, 'GET', '/accounts/acme/workers/scripts')).status, 200);
      for (const path of ['workers/scripts', 'isola/tokens', 'isola/audit', 'workers/scripts/x/versions']) {
        assert.equal((await ask(result.token, 'GET', `/accounts/main/${path}`)).status, 404, path);
      }
      const { result: listed } = await ask(TOKEN, 'GET', '/isola/tokens');
      assert.equal(JSON.stringify(listed).includes(result.token), false);
      assert.deepEqual(
        listed.map(({ id, last_used_on }: { id: string; last_used_on: string }) => [id, last_used_on !== null]),
        [[result.id, true]],
      );
    }));

  it('are refused once revoked, from the next request on', () =>
    withControl(async (ask) => {
      const { result } = await ask(TOKEN, 'POST', '/accounts/acme/isola/tokens', { name: 'ci', scopes: EVERYTHING });
      assert.equal((await ask(result.token, 'GET', '/accounts')).status, 200);
      assert.equal((await ask(TOKEN, 'DELETE', `/isola/tokens/${result.id}`)).status, 200);
      const { status, errors } = await ask(result.token, 'GET', '/accounts');
      assert.deepEqual([status, errors[0]?.code], [401, 9109]);
      assert.equal((await ask(TOKEN, 'DELETE', `/isola/tokens/${result.id}`)).status, 404);
    }));

  it('end when they were told to', async () => {
    let now = Date.now();
    await withControl(
      async (ask) => {
        const body = { name: 'short', scopes: ['workers:read'], expires_on: new Date(now + 60_000).toISOString() };
        const { result } = await ask(TOKEN, 'POST', '/accounts/acme/isola/tokens', body);
        assert.equal((await ask(result.token, 'GET', '/accounts')).status, 200);
        now += 60_000;
        const { status, errors } = await ask(result.token, 'GET', '/accounts');
        assert.deepEqual([status, errors[0]?.code], [401, 9109]);
        assert.match(errors[0]?.message ?? '', /expired at/);
        assert.equal((await ask(TOKEN, 'POST', '/accounts/acme/isola/tokens', body)).status, 400);
      },
      () => now,
    );
  });

  it('of the operator reach every account within their scopes', () =>
    withControl(async (ask) => {
      const reader = await makeToken(ask, ['workers:read'], '/isola/tokens');
      assert.equal((await ask(reader, 'GET', '/accounts/acme/workers/scripts')).status, 200);
      assert.equal((await ask(reader, 'DELETE', '/accounts/acme/workers/scripts/x')).status, 403);
      assert.equal((await ask(reader, 'GET', '/isola/tokens')).status, 403);
      const admin = await makeToken(ask, ['admin'], '/isola/tokens');
      assert.equal((await ask(admin, 'GET', '/isola/tokens')).status, 200);
    }));

  it('of an account make others only with the scope admin, and only for their account', () =>
    withControl(async (ask) => {
      const plain = await makeToken(ask, ['workers:write', 'kv:write']);
      const refused = await ask(plain, 'POST', '/accounts/acme/isola/tokens', { name: 'x', scopes: ['kv:read'] });
      assert.deepEqual([refused.status, refused.errors[0]?.code], [403, 10370]);
      const admin = await makeToken(ask, ['admin']);
      const made = await ask(admin, 'POST', '/accounts/acme/isola/tokens', { name: 'x', scopes: ['kv:read'] });
      assert.deepEqual([made.status, made.result.account], [200, 'acme']);
      const operators = await makeToken(ask, ['workers:read'], '/isola/tokens');
      const { id } = (await ask(TOKEN, 'GET', '/isola/tokens')).result.find(
        ({ account }: { account: string }) => account === '*',
      );
      assert.equal((await ask(admin, 'DELETE', `/accounts/acme/isola/tokens/${id}`)).status, 404);
      assert.equal((await ask(operators, 'GET', '/accounts')).status, 200);
      for (const [method, path] of [
        ['GET', '/isola/tokens'],
        ['POST', '/isola/tokens'],
        ['DELETE', `/isola/tokens/${made.result.id}`],
        ['PUT', '/accounts/acme/isola/status'],
        ['DELETE', '/accounts/acme/isola/account'],
        ['GET', '/isola/audit'],
      ] as const) {
        const body = method === 'GET' ? undefined : { name: 'x', scopes: ['kv:read'], status: 'active' };
        assert.equal((await ask(admin, method, path, body)).status, 403, `${method} ${path}`);
      }
      assert.equal((await ask(admin, 'DELETE', `/accounts/acme/isola/tokens/${made.result.id}`)).status, 200);
    }));

  it('need a name and scopes that make sense', () =>
    withControl(async (ask) => {
      for (const body of [
        {},
        { name: '', scopes: ['kv:read'] },
        { name: 'a\u001b[2J', scopes: ['kv:read'] },
        { name: 'x'.repeat(101), scopes: ['kv:read'] },
        { name: 'x', scopes: [] },
        { name: 'x', scopes: ['root'] },
        { name: 'x', scopes: ['kv:read'], expires_on: 'tomorrow' },
        { name: 'x', scopes: ['kv:read'], owner: '*' },
      ]) {
        assert.equal((await ask(TOKEN, 'POST', '/accounts/acme/isola/tokens', body)).status, 400, JSON.stringify(body));
      }
      assert.equal((await ask(TOKEN, 'POST', '/accounts/nobody/isola/tokens', { name: 'x' })).status, 404);
    }));
});

describe('a token of an account, to wrangler whoami', () => {
  it('is one of an account, and sees that one only', () =>
    withControl(async (ask) => {
      const token = await makeToken(ask, ['workers:write']);
      const verified = await ask(token, 'GET', '/user/tokens/verify');
      assert.deepEqual([verified.success, verified.errors[0]?.code], [false, 1000]);
      assert.equal((await ask(token, 'GET', '/accounts/acme/tokens/verify')).result.status, 'active');
      for (const path of ['/accounts', '/memberships']) {
        const { result, result_info } = await ask(token, 'GET', path);
        assert.equal(result.length, 1);
        assert.equal((result[0].account ?? result[0]).id, 'acme');
        assert.equal((result_info as { total_count: number }).total_count, 1);
      }
      assert.equal((await ask(token, 'GET', '/accounts/main')).status, 404);
    }));
});
