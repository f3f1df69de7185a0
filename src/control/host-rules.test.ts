import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { Scope } from '../store/index.ts';
import type { Authenticator } from './auth.ts';
import { openTestControl, type TestControl, TOKEN } from './testing.ts';

const ACME = 'acme' as AccountId;
const ROUTES = '/workers/scripts/hello/routes';
const DOMAINS = '/workers/scripts/hello/domains';

/** A token's text is an account; the operator's is TOKEN. */
const authenticator: Authenticator = {
  identify: async (token) => {
    const isOperator = token === TOKEN;
    const scopes = new Set<Scope>(isOperator ? ['admin'] : ['workers:write']);
    return { actor: token, account: isOperator ? '*' : (token as AccountId), scopes, tokenId: token };
  },
};

async function open(): Promise<TestControl> {
  const control = await openTestControl({ authenticator });
  await control.registry.putAccount({ id: ACME, name: 'Acme', createdOn: new Date(0).toISOString() });
  for (const account of ['main', 'acme']) {
    await control.upload(`/client/v4/accounts/${account}/workers/scripts/hello`, {});
  }
  return control;
}

async function as(
  control: TestControl,
  token: string,
  [method, path, payload]: readonly ['GET' | 'POST' | 'PUT' | 'DELETE', string, object?],
): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await control.app.inject({
    method,
    url: `/client/v4${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(payload !== undefined && { payload: JSON.stringify(payload) }),
  });
  return { status: statusCode, text: body };
}

/** Makes the record that an answer asks for. */
async function prove(control: TestControl, name: string): Promise<void> {
  const { result } = await control.request('POST', '/isola/zones', { name });
  control.txtRecords.set(result.challenge.name, [result.challenge.value]);
}

describe('ownership of host names', () => {
  it('POST zones tells the record, and finds it once it is there', async () => {
    await using control = await open();
    const asked = await control.request('POST', '/isola/zones', { name: 'Example.COM.' });
    assert.deepEqual([asked.result.name, asked.result.state, asked.result.proof], ['example.com', 'asked', null]);
    assert.equal(asked.result.challenge.name, '_isola-challenge.example.com');
    control.txtRecords.set(asked.result.challenge.name, ['other', ` ${asked.result.challenge.value} `]);
    const proven = await control.request('POST', '/isola/zones', { name: 'example.com' });
    assert.deepEqual([proven.result.state, proven.result.proof], ['proven', 'dns']);
    assert.equal((await control.request('GET', '/isola/zones')).result.length, 1);
    // What is proven stays so without the record.
    control.txtRecords.clear();
    assert.equal((await control.request('PUT', ROUTES, ['a.example.com/*'])).status, 200);
    assert.equal((await control.request('DELETE', '/isola/zones/example.com')).status, 400);
    assert.equal((await control.request('DELETE', '/isola/zones/example.com?force=true')).status, 200);
    assert.equal(control.platform.rules.size, 0);
  });

  it('the record of one account is nothing to another, and a name that is taken is not said whose', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    for (const [path, body] of [
      [ROUTES, ['example.com/*']],
      [`${DOMAINS}/records`, { origins: [{ hostname: 'a.example.com' }] }],
    ] as const) {
      const refusal = await as(control, 'acme', ['PUT', `/accounts/acme${path}`, body]);
      assert.equal(refusal.status, 403);
      assert.match(refusal.text, /10341/);
    }
    assert.equal((await control.request('PUT', ROUTES, ['example.com/*'])).status, 200);
    for (const pattern of ['example.com/x', '*.example.com/*', 'b.a.example.com/', '*example.com/*']) {
      const { status, text } = await as(control, 'acme', ['PUT', `/accounts/acme${ROUTES}`, [pattern]]);
      assert.equal(status, 409, pattern);
      assert.match(text, /10342/);
      assert.doesNotMatch(text, /main/);
    }
    assert.deepEqual(
      [...control.platform.rules.values()].map(({ account }) => account),
      ['main'],
    );
  });

  it('of the base domain an account has its own part, but for the names of its other Workers', async () => {
    await using control = await open();
    await control.upload('/workers/scripts/other', {});
    const put = async (hostname: string) =>
      (await control.request('PUT', `${DOMAINS}/records`, { origins: [{ hostname }] })).errors[0]?.code ?? 'ok';
    assert.equal(await put('www.main.apps.test'), 'ok');
    assert.equal(await put('hello.main.apps.test'), 'ok');
    assert.equal(await put('other.main.apps.test'), 10342);
    for (const name of ['apps.test', 'acme.apps.test', 'x.acme.apps.test', 'nobody.apps.test']) {
      assert.equal(await put(name), 10340, name);
      assert.equal((await control.request('POST', '/isola/zones', { name })).errors[0]?.code, 10340, name);
      assert.equal((await control.request('PUT', `/isola/zones/${name}`)).errors[0]?.code, 10340, name);
    }
  });

  it('the operator gives names without a proof; an account cannot', async () => {
    await using control = await open();
    assert.equal((await as(control, 'acme', ['PUT', '/accounts/acme/isola/zones/example.com'])).status, 403);
    const given = await control.request('PUT', '/client/v4/accounts/acme/isola/zones/example.com');
    assert.deepEqual([given.result.state, given.result.proof], ['proven', 'operator']);
    assert.equal((await control.request('PUT', ROUTES, ['example.com/*'])).status, 409);
    assert.equal((await control.request('PUT', '/isola/zones/a.example.com')).status, 409);
  });

  it('a DNS that does not answer is said to be so', async () => {
    const resolver = { resolveTxt: () => Promise.reject(Object.assign(new Error('queryTxt'), { code: 'ETIMEOUT' })) };
    await using control = await openTestControl({ resolver });
    await control.upload('/workers/scripts/hello', {});
    const { errors } = await control.request('PUT', ROUTES, ['example.com/*']);
    assert.match(errors[0]?.message ?? '', /The DNS did not answer: ETIMEOUT/);
  });
});

describe('routes and custom domains', () => {
  it('PUT replaces all of a Worker, GET gives them as they were written', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    const first = await control.request('PUT', ROUTES, ['example.com/a', { pattern: 'EXAMPLE.com/b*', zone_id: 'x' }]);
    assert.deepEqual(
      first.result.map(({ pattern, script }: { pattern: string; script: string }) => [pattern, script]),
      [
        ['example.com/a', 'hello'],
        ['EXAMPLE.com/b*', 'hello'],
      ],
    );
    await control.request('PUT', ROUTES, ['example.com/a', 'example.com/a']);
    assert.equal((await control.request('GET', ROUTES)).result.length, 1);
    assert.equal(control.platform.rules.size, 1);
    await control.request('DELETE', '/workers/scripts/hello');
    assert.equal((await control.request('GET', ROUTES)).errors[0]?.code, 10007);
  });

  it('refuses what is malformed, and changes nothing then', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    await control.request('PUT', ROUTES, ['example.com/a']);
    for (const body of [
      ['example.com/*.jpg'],
      ['127.0.0.1/*'],
      ['*'],
      [{}],
      {},
      'x',
      [1],
      [null],
      ['example.com/b', ''],
    ]) {
      assert.equal((await control.request('PUT', ROUTES, body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await control.request('PUT', '/workers/scripts/nobody/routes', [])).errors[0]?.code, 10007);
    assert.equal((await control.request('GET', ROUTES)).result[0].pattern, 'example.com/a');
    const off = { origins: [{ hostname: 'example.com', enabled: false }] };
    assert.equal((await control.request('PUT', `${DOMAINS}/records`, off)).errors[0]?.code, 10300);
  });

  it('the changeset says what records would change, and changes nothing', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    await control.upload('/workers/scripts/other', {});
    const set = (worker: string, ...names: string[]) =>
      control.request('PUT', `/workers/scripts/${worker}/domains/records`, {
        override_existing_origin: false,
        origins: names.map((hostname) => ({ hostname })),
      });
    await set('hello', 'a.example.com', 'b.example.com');
    await set('other', 'c.example.com');
    const { result } = await control.request('POST', `${DOMAINS}/changeset?replace_state=true`, [
      { hostname: 'a.example.com' },
      { hostname: 'c.example.com' },
      { hostname: 'd.example.com' },
    ]);
    const names = (list: { hostname: string }[]): string[] => list.map(({ hostname }) => hostname);
    assert.deepEqual(names(result.added), ['d.example.com']);
    assert.deepEqual(names(result.removed), ['b.example.com']);
    assert.deepEqual(names(result.updated), ['a.example.com', 'c.example.com']);
    assert.deepEqual(
      result.updated.map(({ modified }: { modified: boolean }) => modified),
      [false, true],
    );
    assert.equal((await set('hello', 'c.example.com')).errors[0]?.code, 10342);
    const all = await control.request('GET', '/workers/domains');
    assert.equal(all.result.length, 3);
    const { id } = all.result[0];
    assert.equal((await control.request('GET', `/workers/domains/records/${id}`)).result.hostname, 'a.example.com');
    assert.equal((await control.request('DELETE', `/workers/domains/${id}`)).status, 200);
    assert.equal((await control.request('DELETE', `/workers/domains/${id}`)).status, 404);
    const attached = await control.request('PUT', '/workers/domains', { hostname: 'e.example.com', service: 'other' });
    assert.equal(attached.result.service, 'other');
  });
});

describe('zones for wrangler', () => {
  it('are there for any name, and hold the routes of the account alone', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    await control.request('PUT', ROUTES, ['*.example.com/*', 'www.example.com/']);
    const zone = async (name: string, account: string) =>
      (await control.request('GET', `/client/v4/zones?name=${name}&account.id=${account}`)).result[0]?.id as string;
    const id = await zone('www.example.com', 'main');
    const routes = await control.request('GET', `/client/v4/zones/${id}/workers/routes`);
    assert.equal(routes.result.length, 2);
    const foreign = await zone('www.example.com', 'acme');
    assert.deepEqual((await control.request('GET', `/client/v4/zones/${foreign}/workers/routes`)).result, []);
    for (const name of ['com', '127.0.0.1', 'a..b', '']) assert.equal(await zone(name, 'main'), undefined, name);

    // By its id, whoever it is that has got hold of it.
    for (const path of [`/zones/${id}`, `/zones/${id}/workers/routes`]) {
      assert.equal((await as(control, 'acme', ['GET', path])).status, 404, path);
    }
    const route = routes.result[0].id as string;
    assert.equal((await as(control, 'acme', ['DELETE', `/zones/${id}/workers/routes/${route}`])).status, 404);
    assert.equal((await as(control, 'acme', ['DELETE', `/zones/${foreign}/workers/routes/${route}`])).status, 404);
    assert.equal((await as(control, 'acme', ['GET', '/zones?name=example.com&account.id=main'])).status, 404);
    assert.equal((await as(control, 'acme', ['GET', '/zones?name=example.com'])).status, 200);
    for (const bad of ['x', '%2e%2e', Buffer.from('main/').toString('base64url'), 'a'.repeat(500)]) {
      assert.equal((await control.request('GET', `/client/v4/zones/${bad}`)).status, 404, bad);
    }
  });

  it('a route may be for no Worker, and goes by its id', async () => {
    await using control = await open();
    await prove(control, 'example.com');
    const { result } = await control.request('GET', '/client/v4/zones?name=example.com&account.id=main');
    const path = `/client/v4/zones/${result[0].id}/workers/routes`;
    const added = await control.request('POST', path, { pattern: 'example.com/private*' });
    assert.equal(added.result.script, null);
    assert.equal([...control.platform.rules.values()][0]?.worker, null);
    assert.equal((await control.request('POST', path, { pattern: 'example.com/x', script: 'nobody' })).status, 404);
    assert.equal((await control.request('DELETE', `${path}/${added.result.id}`)).status, 200);
    assert.equal(control.platform.rules.size, 0);
  });
});

describe('preview aliases', () => {
  it('are refused where they are no label, look like a version, or are another Worker', async () => {
    await using control = await open();
    await control.upload('/workers/scripts/a-hello', {});
    const upload = async (alias: string) => {
      const metadata = {
        main_module: 'index.js',
        compatibility_date: '2026-01-01',
        annotations: { 'workers/alias': alias },
      };
      return (await control.upload('/workers/scripts/hello/versions', { metadata })).errors[0]?.code ?? 'ok';
    };
    for (const alias of ['staging', 'pr-12', 'x', 'b', `a${'b'.repeat(56)}`])
      assert.equal(await upload(alias), 'ok', alias);
    assert.deepEqual(
      control.platform.previewed,
      Array.from({ length: 5 }, () => 'main/hello'),
    );
    for (const alias of ['A', '1a', '-a', 'a-', 'a.b', 'a_b', 'deadbeef', 'a', `a${'b'.repeat(57)}`, 'é']) {
      assert.equal(await upload(alias), 10343, alias);
    }
  });
});
