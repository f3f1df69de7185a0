/** Accounts and tokens from end to end: the commands, stock wrangler with a tenant's token, and a suspension under load. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runIsola } from '../helpers/isola-command.ts';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { openSocket } from '../helpers/web-socket.ts';

const WITHIN_MS = 1_000; // a suspension holds everywhere

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform();
});
after(() => platform.stop());

async function isola(...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await runIsola(platform, args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function makeToken(account: string, ...args: string[]): Promise<string> {
  const token = await isola('token', 'create', 'tests', '--account', account, ...args);
  assert.match(token, /^isola_[\w-]{43}$/);
  return token;
}

function asTenant(account: string, token: string): { env: Record<string, string> } {
  return { env: { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account } };
}

describe('a tenant', () => {
  it('is made, gets a token, and deploys with stock wrangler', async () => {
    await isola('account', 'create', 'acme', '--name', 'Acme Ltd');
    const token = await makeToken('acme');
    const tenant = asTenant('acme', token);
    const whoami = await platform.wrangler('examples/hello', ['whoami'], tenant);
    assert.match(whoami, /Account API Token/);
    assert.match(whoami, /Acme Ltd/);
    assert.doesNotMatch(whoami, /main|ERROR|WARNING/);
    await platform.wrangler('examples/hello', ['deploy'], tenant);
    assert.equal((await platform.request('hello', '/', { account: 'acme' })).status, 200);
    assert.equal((await platform.request('hello', '/')).status, 404);
    assert.match(await isola('token', 'list'), /acme +tests +account:read,workers:write,kv:write,tail:read +never +2/);
    assert.match(await isola('account', 'list'), /acme +Acme Ltd +active/);
  });

  it('is told which scope a token lacks, and of other accounts nothing', async () => {
    const reader = asTenant('acme', await makeToken('acme', '--scopes', 'workers:read'));
    await assert.rejects(
      platform.wrangler('examples/hello', ['deploy'], reader),
      /needs the scope 'workers:write' \[code: 10370\]/,
    );
    const other = { env: { ...reader.env, CLOUDFLARE_ACCOUNT_ID: platform.account } };
    await assert.rejects(platform.wrangler('examples/hello', ['versions', 'list'], other), /\[code: 10002\]/);
  });

  it('whose token is revoked is refused from the next request on', async () => {
    const token = await makeToken('acme');
    const ask = () =>
      fetch(`${platform.controlUrl}/client/v4/accounts`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await ask()).status, 200);
    const tokens = JSON.parse(await isola('token', 'list', '--account', 'acme', '--json')) as { id: string }[];
    for (const { id } of tokens) await isola('token', 'revoke', id, '--yes');
    assert.equal((await ask()).status, 401);
    assert.equal(await isola('token', 'list', '--account', 'acme', '--json'), '[]');
  });
});

describe('a suspension', () => {
  it(`holds within ${WITHIN_MS} ms under load, over a restart, and until it is undone`, async () => {
    await deployCode(platform, 'busy', 'export default { fetch: () => new Response("busy") }');
    const host = `busy.${platform.account}.localhost`;
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host, clients: 16 });
    await load.answered(200);
    const since = performance.now();
    const suspending = isola('account', 'suspend', platform.account);
    let refusedAfter: number | undefined;
    while (refusedAfter === undefined) {
      // oxlint-disable-next-line no-await-in-loop -- it is a poll
      const { status } = await platform.request('busy', '/');
      if (status === 403) refusedAfter = performance.now() - since;
      else assert.equal(status, 200);
    }
    await suspending;
    const before = load.result.statuses.get(200) ?? 0;
    await delay(200);
    const { statuses, failures } = await load.stop();
    assert.ok((statuses.get(200) ?? 0) - before <= 16, 'requests under way');
    assert.deepEqual(
      [...statuses.keys()].toSorted((a, b) => a - b),
      [200, 403],
    );
    assert.deepEqual(failures, []);
    // Most of it is the start of the command.
    assert.ok(refusedAfter < WITHIN_MS + 5_000, `${refusedAfter} ms`);

    await platform.restart('SIGKILL');
    assert.equal((await platform.request('busy', '/')).status, 403);
    await isola('account', 'resume', platform.account);
    assert.equal((await platform.request('busy', '/')).text, 'busy');
  });

  it('ends what runs: WebSockets with 1008, requests, and everything that they had begun', async () => {
    const code = `export default {
      async fetch(request) {
        if (request.headers.get('upgrade') === 'websocket') {
          const pair = new WebSocketPair();
          pair[1].accept();
          pair[1].addEventListener('message', ({ data }) => pair[1].send(data));
          return new Response(null, { status: 101, webSocket: pair[0] });
        }
        await scheduler.wait(20_000);
        return new Response('late');
      },
      scheduled() {},
    }`;
    await deployCode(platform, 'slow', code);
    const socket = await openSocket(platform, 'slow');
    socket.send('hi');
    assert.equal(await socket.next(), 'hi');
    const slow = platform.request('slow', '/').then(
      ({ status }) => status,
      () => 'broken',
    );
    await delay(100);
    const since = performance.now();
    const status = (value: string) =>
      platform.control(`/accounts/${platform.account}/isola/status`, {
        method: 'PUT',
        body: JSON.stringify({ status: value }),
      });
    assert.equal((await status('suspended')).status, 200);
    assert.equal((await socket.closed).code, 1008);
    assert.equal(await slow, 503);
    assert.ok(performance.now() - since < WITHIN_MS);
    await assert.rejects(openSocket(platform, 'slow'), /403/);
    const fired = await platform.control(`/accounts/${platform.account}/workers/scripts/slow/isola/scheduled`, {
      method: 'POST',
      body: JSON.stringify({ cron: '* * * * *' }),
    });
    assert.equal(fired.status, 403);
    assert.match(await fired.text(), /10310/);
    await status('active');
    (await openSocket(platform, 'slow')).ws.terminate();
  });
});

describe('a deletion', () => {
  it('leaves nothing, and the first account does not come back', async () => {
    await isola('account', 'create', 'gone');
    const token = await makeToken('gone');
    await platform.wrangler('examples/hello', ['deploy'], asTenant('gone', token));
    const refused = await runIsola(platform, ['account', 'delete', 'gone', '--yes']);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /suspend it first, .* \[code 10312\]/);
    assert.equal((await runIsola(platform, ['account', 'delete', 'gone', '--force'])).code, 2, 'nobody to ask');
    await isola('account', 'suspend', 'gone');
    await isola('account', 'delete', 'gone', '--yes');
    assert.equal((await platform.request('hello', '/', { account: 'gone' })).status, 404);
    assert.equal((await platform.control('/accounts/gone')).status, 404);
    await isola('account', 'delete', platform.account, '--force', '--yes');
    await platform.restart();
    assert.doesNotMatch(await isola('account', 'list'), /main|gone/);
    assert.equal((await platform.request('busy', '/')).status, 404);
  });

  it('and all before it are in the audit log, without any secret', async () => {
    const entries = JSON.parse(await isola('audit', '--limit', '1000', '--json')) as Record<string, string | number>[];
    const actions = entries.map(({ action, account, status }) => `${action} ${account} ${status}`);
    for (const expected of [
      'account.create acme 200',
      'token.create acme 200',
      'account.status main 200',
      'account.delete gone 409',
      'account.delete gone 200',
      'account.delete main 200',
    ]) {
      assert.ok(actions.includes(expected), expected);
    }
    const { actor } = entries.find(({ account, action }) => account === 'acme' && String(action).includes('scripts'))!;
    assert.equal(actor, 'tests');
    assert.ok(entries.every(({ ip }) => ip === '127.0.0.1'));
    assert.doesNotMatch(JSON.stringify(entries), /isola_|token-of-the/);
    assert.match(await isola('audit', '--action', 'token'), /^ID +WHEN +WHO[^]*token\.revoke/);
  });
});
