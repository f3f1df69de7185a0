import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { openTestControl, type TestControl, TOKEN } from '../testing.ts';

const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-1234';
const CALLBACK = 'http://localhost:8976/oauth/callback';
const REQUEST = {
  response_type: 'code',
  client_id: 'wrangler',
  redirect_uri: CALLBACK,
  scope: 'account:read workers:write d1:write',
  state: 'the-state',
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

interface Client {
  readonly control: TestControl;
  get(query: object): Promise<Reply>;
  post(path: string, fields: object | string, headers?: object): Promise<Reply>;
  /** From the page to the redirect. */
  signIn(token: string, decision?: string): Promise<URL>;
  /** Exchanges a code, or renews. */
  exchange(fields: object): Promise<Reply & { json: Record<string, string> }>;
  api(token: string, path?: string): Promise<number>;
}

async function withClient(
  test: (client: Client) => Promise<void>,
  options: { now?: () => number } = {},
): Promise<void> {
  await using control = await openTestControl(options);
  let cookie = '';
  const send = async (options: object): Promise<Reply> => {
    const { statusCode: status, headers, body } = await control.app.inject(options);
    return { status, headers: headers as Record<string, string>, body };
  };
  const client: Client = {
    control,
    async get(query) {
      const reply = await send({ url: `/oauth/authorize?${new URLSearchParams({ ...query }).toString()}` });
      cookie = (reply.headers['set-cookie'] ?? '').split(';')[0] ?? '';
      return reply;
    },
    post: (path, fields, headers = {}) =>
      send({
        method: 'POST',
        url: `/oauth/${path}`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', cookie, ...headers },
        payload: typeof fields === 'string' ? fields : new URLSearchParams({ ...fields }).toString(),
      }),
    async signIn(token, decision = 'allow') {
      await client.get(REQUEST);
      const csrf = cookie.split('=')[1];
      const page = await client.post('authorize', { ...REQUEST, csrf, token });
      const consent = /name="consent" value="([^"]+)"/.exec(page.body)?.[1];
      const answer = await client.post('authorize', { consent, csrf, decision });
      assert.equal(answer.status, 303, page.body);
      return new URL(answer.headers['location'] ?? '');
    },
    async exchange(fields) {
      const reply = await client.post('token', { client_id: 'wrangler', redirect_uri: CALLBACK, ...fields });
      return { ...reply, json: JSON.parse(reply.body) as Record<string, string> };
    },
    async api(token, path = '/accounts/main/workers/scripts') {
      const headers = { authorization: `Bearer ${token}` };
      return (await control.app.inject({ url: `/client/v4${path}`, headers })).statusCode;
    },
  };
  await test(client);
}

async function makeToken(
  { control }: Client,
  scopes = ['workers:write', 'admin'],
): Promise<{ token: string; id: string }> {
  return (await control.request('POST', '/isola/tokens', { name: 'anna', scopes })).result;
}

async function logIn(client: Client, token: string): Promise<Record<string, string>> {
  const code = (await client.signIn(token)).searchParams.get('code');
  const { json } = await client.exchange({ grant_type: 'authorization_code', code, code_verifier: VERIFIER });
  return json;
}

describe('the sign-in page', () => {
  it('runs no script, stands in no frame, and sends its forms to us and the client only', () =>
    withClient(async (client) => {
      const { status, headers, body } = await client.get({ ...REQUEST, state: `"><script>alert(1)</script>` });
      assert.equal(status, 200);
      const csp = headers['content-security-policy'] ?? '';
      assert.match(csp, /default-src 'none'; style-src 'sha256-[^']+'; form-action 'self' http:\/\/localhost:8976;/);
      assert.match(csp, /frame-ancestors 'none'/);
      assert.match(headers['set-cookie'] ?? '', /HttpOnly; SameSite=Strict/);
      assert.doesNotMatch(body, /<script/);
      assert.match(body, /<label for="token">/);
    }));

  it('refuses other clients, addresses that are not of this machine, and requests without PKCE', () =>
    withClient(async (client) => {
      for (const wrong of [
        { client_id: 'other' },
        { redirect_uri: 'https://evil.example/' },
        { redirect_uri: 'http://localhost.evil.example/' },
        { redirect_uri: 'http://localhost@evil.example/' },
        { redirect_uri: 'javascript:alert(1)' },
        { response_type: 'token' },
        { code_challenge: '' },
        { code_challenge_method: 'plain' },
        { state: '' },
      ]) {
        const { status, headers } = await client.get({ ...REQUEST, ...wrong });
        assert.equal(status, 400, JSON.stringify(wrong));
        assert.equal(headers['location'], undefined);
      }
    }));

  it('takes its own forms only', () =>
    withClient(async (client) => {
      const { token } = await makeToken(client);
      await client.get(REQUEST);
      const forged = await client.post('authorize', { ...REQUEST, csrf: 'x'.repeat(43), token });
      assert.equal(forged.status, 403);
      const page = await client.get(REQUEST);
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1];
      const fields = { ...REQUEST, csrf, token };
      assert.equal((await client.post('authorize', fields, { 'sec-fetch-site': 'cross-site' })).status, 403);
      assert.equal((await client.post('authorize', fields, { origin: 'http://evil.example' })).status, 403);
      assert.equal((await client.post('authorize', fields, { cookie: '' })).status, 403);
      assert.equal((await client.post('authorize', `csrf=${csrf}&csrf=${csrf}`)).status, 400);
      assert.equal((await client.post('authorize', fields)).status, 200);
    }));

  it('says that a token is wrong, and shows what a good one gives', () =>
    withClient(async (client) => {
      const page = await client.get(REQUEST);
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1];
      const wrong = await client.post('authorize', { ...REQUEST, csrf, token: 'isola_wrong' });
      assert.equal(wrong.status, 401);
      assert.match(wrong.body, /role="alert"[^>]*>This is not a valid access token/);
      assert.equal(wrong.body.includes('isola_wrong'), false);
      const { token } = await makeToken(client);
      const good = await client.post('authorize', { ...REQUEST, csrf, token });
      assert.match(good.body, /<strong>main<\/strong>/);
      assert.match(good.body, /<code>workers:write<\/code>/);
      assert.doesNotMatch(good.body, /admin|account:read/);
    }));

  it('tells the client when the person says no', () =>
    withClient(async (client) => {
      const { token } = await makeToken(client);
      const { searchParams } = await client.signIn(token, 'deny');
      assert.equal(searchParams.get('error'), 'access_denied');
      assert.equal(searchParams.get('code'), null);
      assert.equal(searchParams.get('state'), 'the-state');
    }));
});

describe('tokens of a client', () => {
  it('allow what was granted, never more than the token that was signed in with', () =>
    withClient(async (client) => {
      const { token } = await makeToken(client);
      const { access_token, scope, token_type } = await logIn(client, token);
      assert.deepEqual([token_type, scope], ['Bearer', REQUEST.scope]);
      assert.equal(await client.api(access_token!), 200);
      assert.equal(await client.api(access_token!, '/accounts/main/isola/tokens'), 403);
      assert.equal(await client.api(access_token!, '/accounts/main/isola/audit'), 403);
      const operators = await logIn(client, TOKEN);
      assert.equal(await client.api(operators['access_token']!), 200);
      assert.equal(await client.api(operators['access_token']!, '/isola/tokens'), 403);
      // What was granted grants nothing in its turn.
      await assert.rejects(client.signIn(access_token!), /not a valid access token/);
    }));

  it('need the code, once, within a minute, and who began', async () => {
    let now = Date.now();
    await withClient(
      async (client) => {
        const { token } = await makeToken(client);
        const grant = { grant_type: 'authorization_code', code_verifier: VERIFIER };
        const codeOf = (url: URL) => url.searchParams.get('code');
        const stolen = codeOf(await client.signIn(token));
        const other = await client.exchange({
          ...grant,
          code: stolen,
          code_verifier: VERIFIER.replace('1234', '4321'),
        });
        assert.deepEqual([other.status, other.json['error']], [400, 'invalid_grant']);
        assert.equal((await client.exchange({ ...grant, code: stolen })).status, 400);
        const code = codeOf(await client.signIn(token));
        const both = await Promise.all([client.exchange({ ...grant, code }), client.exchange({ ...grant, code })]);
        assert.deepEqual(
          both.map(({ status }) => status).toSorted((a, b) => a - b),
          [200, 400],
        );
        const late = codeOf(await client.signIn(token));
        now += 60_000;
        assert.equal((await client.exchange({ ...grant, code: late })).json['error'], 'invalid_grant');
        const elsewhere = codeOf(await client.signIn(token));
        const moved = { ...grant, code: elsewhere, redirect_uri: 'http://localhost:1/' };
        assert.equal((await client.exchange(moved)).status, 400);
      },
      { now: () => now },
    );
  });

  it('are renewed, each time by a new pair; a copy of an old one ends them all', async () => {
    let now = Date.now();
    await withClient(
      async (client) => {
        const { token } = await makeToken(client);
        const first = await logIn(client, token);
        const renew = (refresh_token?: string) => client.exchange({ grant_type: 'refresh_token', refresh_token });
        now += 3_600_000;
        assert.equal(await client.api(first['access_token']!), 401);
        const second = (await renew(first['refresh_token'])).json;
        assert.equal(second['scope'], REQUEST.scope);
        assert.equal(await client.api(second['access_token']!), 200);
        // Another wrangler of the same person, a moment too late.
        assert.equal((await renew(first['refresh_token'])).json['error'], 'invalid_grant');
        assert.equal(await client.api(second['access_token']!), 200);
        now += 60_000;
        assert.equal((await renew(first['refresh_token'])).status, 400);
        assert.equal(await client.api(second['access_token']!), 401);
        assert.equal((await renew(second['refresh_token'])).status, 400);
      },
      { now: () => now },
    );
  });

  it('end with the token that was signed in with, and with a logout', () =>
    withClient(async (client) => {
      const { token, id } = await makeToken(client);
      const out = await logIn(client, token);
      await client.post('revoke', { client_id: 'wrangler', token: out['refresh_token'] });
      assert.equal(await client.api(out['access_token']!), 401);
      const { access_token, refresh_token } = await logIn(client, token);
      assert.equal(await client.api(access_token!), 200);
      await client.control.request('DELETE', `/isola/tokens/${id}`);
      assert.equal(await client.api(access_token!), 401);
      assert.equal((await client.exchange({ grant_type: 'refresh_token', refresh_token })).status, 400);
      assert.equal((await client.post('revoke', { token: 'unknown' })).status, 200);
    }));

  it('are refused while the account is suspended', () =>
    withClient(async (client) => {
      const { token } = await makeToken(client);
      const { access_token, refresh_token } = await logIn(client, token);
      await client.control.request('PUT', '/isola/status', { status: 'suspended' });
      assert.equal(await client.api(access_token!), 403);
      assert.equal((await client.exchange({ grant_type: 'refresh_token', refresh_token })).status, 400);
      await client.control.request('PUT', '/isola/status', { status: 'active' });
      assert.equal(await client.api(access_token!), 200);
    }));
});

describe('hostile forms', () => {
  it('are refused without a fault', () =>
    withClient(async (client) => {
      for (const [path, fields] of [
        ['token', ''],
        ['token', 'grant_type=password&client_id=wrangler&username=a&password=b'],
        ['token', 'grant_type=authorization_code&client_id=wrangler&code=x&code_verifier=y'],
        ['token', 'grant_type=refresh_token&client_id=wrangler&refresh_token=%00'],
        ['token', 'grant_type=__proto__&client_id=constructor'],
        ['token', `grant_type=${'x'.repeat(20_000)}`],
        ['authorize', '__proto__=1&csrf=x'],
        ['authorize', '%'],
      ]) {
        const { status } = await client.post(path!, fields!);
        assert.ok(status >= 400 && status < 500, `${path} ${fields?.slice(0, 60)}: ${status}`);
      }
    }));
});
