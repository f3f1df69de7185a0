import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { Scope } from '../store/index.ts';
import type { Authenticator, Identity } from './auth.ts';
import { TrustedProxies } from '../trusted-proxies.ts';
import { openTestControl, TOKEN } from './testing.ts';

const ACME = 'acme' as AccountId;

/** A token's text is its account and its scopes, e.g. `acme workers:read`. */
const authenticator: Authenticator = {
  identify: async (token) => {
    if (token === TOKEN) return identity('*', ['admin']);
    const [account = '', ...scopes] = token.split(',');
    return account === 'wrong' ? undefined : identity(account as AccountId, scopes as Scope[]);
  },
};

function identity(account: AccountId | '*', scopes: readonly Scope[]): Identity {
  return { actor: account, account, scopes: new Set(scopes), tokenId: `${account},${scopes.join(',')}` };
}

async function openControl(rates = { perToken: 1_000, perAddress: 1_000, wrongTokensPerAddress: 1_000 }) {
  const control = await openTestControl({ authenticator, rates, proxies: new TrustedProxies(['10.0.0.0/8']) });
  await control.registry.putAccount({ id: ACME, name: 'Acme', createdOn: new Date(0).toISOString() });
  const ask = async (
    token: string,
    path: string,
    method: 'GET' | 'PUT' | 'POST' | 'DELETE' = 'GET',
    payload?: string,
    { from, headers: more }: { from?: string; headers?: Readonly<Record<string, string>> } = {},
  ) => {
    const headers = { authorization: `Bearer ${token}`, ...more };
    const response = await control.app.inject({
      method,
      url: `/client/v4${path}`,
      headers,
      ...(payload && { payload }),
      ...(from && { remoteAddress: from }),
    });
    return {
      status: response.statusCode,
      code: response.json<{ errors?: { code: number }[] }>().errors?.[0]?.code,
      body: response.json(),
      retryAfter: response.headers['retry-after'],
    };
  };
  return { control, ask, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
}

describe('a token of an account', () => {
  it('finds another account no different from one that does not exist', async () => {
    await using api = await openControl();
    await api.control.upload('/workers/scripts/hello', {});
    for (const path of [
      '/workers/scripts',
      '/workers/scripts/hello/versions',
      '/workers/services/hello',
      '/isola/limits',
      '',
    ]) {
      const method = path === '/isola/limits' ? 'PUT' : 'GET';
      const answers = await Promise.all(
        ['main', 'nobody', 'No.Body'].map((name) =>
          api.ask('acme,workers:write', `/accounts/${name}${path}`, method, '{}'),
        ),
      );
      assert.deepEqual(
        answers.map(({ status, code }) => [status, code]),
        [
          [404, 10002],
          [404, 10002],
          [404, 10002],
        ],
        path,
      );
      assert.deepEqual(
        answers[0]?.body.errors[0].message.replace('main', 'nobody'),
        answers[1]?.body.errors[0].message,
      );
    }
  });

  it('may do what its scopes say; writing includes reading', async () => {
    await using api = await openControl();
    const list = '/accounts/acme/workers/scripts';
    assert.equal((await api.ask('acme,workers:read', list)).status, 200);
    assert.equal((await api.ask('acme,workers:write', list)).status, 200);
    for (const scopes of ['', 'kv:write', 'account:read', 'tail:read']) {
      const { status, code, body } = await api.ask(`acme,${scopes}`, list);
      assert.deepEqual([status, code], [403, 10370], scopes);
      assert.match(body.errors[0].message, /needs the scope 'workers:read'/);
    }
    assert.equal((await api.ask('acme,workers:read', `${list}/hello`, 'DELETE')).status, 403);
    assert.equal((await api.ask('acme,workers:write', `${list}/hello`, 'DELETE')).status, 404);
  });

  it('never may what is the operator’s, whatever its scopes', async () => {
    await using api = await openControl();
    const all = 'acme,workers:write,kv:write,admin';
    for (const path of ['account', 'limits', 'bulk']) {
      assert.equal((await api.ask(all, `/accounts/acme/isola/${path}`, 'PUT', '{}')).status, 403, path);
    }
  });

  it('sees its own account only in lists', async () => {
    await using api = await openControl();
    const { body } = await api.ask('acme,', '/accounts');
    assert.deepEqual(
      body.result.map((account: { id: string }) => account.id),
      ['acme'],
    );
    assert.equal((await api.ask(TOKEN, '/accounts')).body.result.length, 2);
    assert.deepEqual((await api.ask('acme,', '/memberships?page=2')).body.result, []);
  });
});

describe('rate limits', () => {
  it('hold per token, and say how long to wait', async () => {
    await using api = await openControl({ perToken: 3, perAddress: 100, wrongTokensPerAddress: 100 });
    for (let i = 0; i < 3; i++) assert.equal((await api.ask('acme,', '/user')).status, 200);
    const { status, code, retryAfter } = await api.ask('acme,', '/user');
    assert.deepEqual([status, code], [429, 10371]);
    assert.ok(Number(retryAfter) >= 1 && Number(retryAfter) <= 60);
    assert.equal((await api.ask('main,', '/user')).status, 200);
  });

  it('hold per address, and count wrong tokens on their own', async () => {
    await using address = await openControl({ perToken: 100, perAddress: 3, wrongTokensPerAddress: 100 });
    for (let i = 0; i < 3; i++) assert.equal((await address.ask(`a${i},`, '/user')).status, 200);
    assert.equal((await address.ask('another,', '/user')).status, 429);

    await using wrong = await openControl({ perToken: 100, perAddress: 100, wrongTokensPerAddress: 3 });
    for (let i = 0; i < 4; i++) assert.equal((await wrong.ask('wrong', '/user')).status, 401);
    assert.equal((await wrong.ask('acme,', '/user')).status, 429);
  });
});

describe('the address of a client', () => {
  const ask = (api: Awaited<ReturnType<typeof openControl>>, from: string, forwarded?: string) =>
    api.ask('acme,', '/user', 'GET', undefined, {
      from,
      ...(forwarded !== undefined && { headers: { 'x-forwarded-for': forwarded } }),
    });
  const rates = { perToken: 100, perAddress: 2, wrongTokensPerAddress: 100 };

  it('is the one that a trusted proxy names: each client has a rate of its own', async () => {
    await using api = await openControl(rates);
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      for (const status of [200, 200, 429]) {
        assert.equal((await ask(api, '10.0.0.1', client)).status, status, client);
      }
    }
  });

  it('is that of the connection when nobody is trusted there, whatever its headers say', async () => {
    await using api = await openControl(rates);
    for (const [i, status] of [200, 200, 429].entries()) {
      assert.equal((await ask(api, '192.0.2.9', `203.0.113.${i}`)).status, status);
    }
  });

  it('is known when a body was given up, and the request has no socket any more', async () => {
    await using api = await openControl();
    const url = await api.control.app.listen({ port: 0, host: '127.0.0.1' });
    const response = await fetch(`${url}/client/v4/accounts/main/workers/scripts/nothing/subdomain`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: 'x'.repeat(1_200_000),
    });
    assert.equal(response.status, 400);
    const [error] = ((await response.json()) as { errors: { documentation_url: string }[] }).errors;
    assert.equal(error?.documentation_url, `${url}/errors/10001`);
  });

  it('counts as one in an IPv6 /64', async () => {
    await using api = await openControl(rates);
    for (const [i, status] of [200, 200, 429].entries()) {
      assert.equal((await ask(api, `2001:db8::${i}:1`)).status, status);
    }
    assert.equal((await ask(api, '2001:db8:0:1::1')).status, 200);
  });

  it('is in the audit log, and its scheme in the URLs that it is told', async () => {
    await using api = await openControl();
    await api.control.upload('/workers/scripts/hello', {});
    const headers = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', host: 'control.example.com' };
    const tails = '/accounts/main/workers/scripts/hello/tails';
    const tail = await api.ask('main,tail:read', tails, 'POST', '{}', { from: '10.0.0.1', headers });
    assert.match(tail.body.result.url, /^wss:\/\/control\.example\.com\/tails\//);
    const [entry] = await api.control.audit.list();
    assert.deepEqual([entry?.action, entry?.ip], ['POST /workers/scripts/:name/tails', '192.0.2.7']);
    const wrong = await api.ask('wrong', '/user', 'GET', undefined, { from: '10.0.0.1', headers });
    assert.equal(wrong.body.errors[0].documentation_url, 'https://control.example.com/errors/9109');
    const plain = await api.ask('main,tail:read', tails, 'POST', '{}', { from: '192.0.2.7', headers });
    assert.match(plain.body.result.url, /^ws:/);
  });
});

describe('/openapi.json', () => {
  it('describes every route of the API with its scope, as OpenAPI 3.1', async () => {
    await using api = await openControl();
    const response = await api.control.app.inject('/openapi.json');
    const document = response.json();
    assert.equal(document.openapi, '3.1.0');
    const paths = Object.entries(document.paths as Record<string, Record<string, { 'x-isola-scope': string }>>);
    assert.ok(paths.length > 15);
    for (const [path, methods] of paths) {
      if (!path.startsWith('/client/v4')) continue;
      for (const [method, { 'x-isola-scope': scope }] of Object.entries(methods)) assert.ok(scope, `${method} ${path}`);
    }
    const deployment = document.paths['/client/v4/accounts/{account}/workers/scripts/{name}/deployments'].post;
    assert.equal(deployment.requestBody.content['application/json'].schema.properties.versions.maxItems, 10);
    assert.ok(deployment.parameters.some((parameter: { name: string }) => parameter.name === 'account'));
  });

  it('has a page to read it, which runs nothing from elsewhere', async () => {
    await using api = await openControl();
    const page = await api.control.app.inject('/docs/');
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /<title>.*isola/s);
    assert.doesNotMatch(page.body, /https?:\/\//);
  });
});

describe('an error', () => {
  it('links to a page that says what it means and what to do', async () => {
    await using api = await openControl();
    const { body } = await api.ask(TOKEN, '/accounts/main/d1/database', 'POST', '{}');
    const [{ code, documentation_url: url }] = body.errors;
    assert.match(url, /^http:\/\/localhost:\d+\/errors\/10300$/);
    const page = await api.control.app.inject(new URL(url).pathname);
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
    assert.match(page.body, new RegExp(`${code} notAvailable[\\s\\S]*Remove the binding`));
    assert.equal((await api.control.app.inject('/errors/1')).statusCode, 404);
  });

  it('has no link that the caller’s Host header could lead elsewhere', async () => {
    await using api = await openControl();
    const answer = await api.control.app.inject({ url: '/nothing', headers: { host: 'a/b"><script>' } });
    assert.equal(answer.json().errors[0].documentation_url, undefined);
  });
});
