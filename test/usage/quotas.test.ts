import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const PATIENCE_MS = 30_000;
const EFFECTIVE_MS = 2_000;

describe('A quota', () => {
  let platform: TestPlatform;
  let hook: Server;
  const notices: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];

  before(async () => {
    platform = await startTestPlatform(['--cells', '2']);
    await deployCode(platform, 'hello', 'export default { fetch: () => new Response("hello") }');
    hook = createServer((request, response) => {
      void text(request).then((body) => {
        notices.push({ headers: request.headers, body });
        response.writeHead(notices.length === 1 ? 503 : 204).end(); // the first one has to be sent again
      });
    }).listen(0, '127.0.0.1');
    await once(hook, 'listening');
  });
  after(async () => {
    hook.closeAllConnections();
    hook.close();
    await platform.stop();
  });

  const get = () => platform.request('hello', '/');
  const until = async (fits: () => boolean | Promise<boolean>): Promise<number> => {
    const began = performance.now();
    // oxlint-disable no-await-in-loop -- polling
    while (!(await fits())) {
      assert.ok(performance.now() - began < PATIENCE_MS, 'it never comes');
      await setTimeout(20);
    }
    // oxlint-enable no-await-in-loop
    return performance.now() - began;
  };

  it('that is used up and fails closed refuses within two seconds, warns by webhook, and is kept across a crash', async (context) => {
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`;
    const limits = ['--daily-requests', '10', '--over-quota', 'closed', '--quota-webhook', url];
    const set = await runIsola(platform, ['account', 'set', platform.account, ...limits, '--json']);
    const { quotaWebhookKey: key } = JSON.parse(set.stdout) as { quotaWebhookKey: string };
    for (let count = 0; count < 10; count++) {
      // oxlint-disable-next-line no-await-in-loop
      assert.equal((await get()).status, 200);
    }
    const tookMs = await until(async () => (await get()).status === 429);
    context.diagnostic(`refused ${tookMs.toFixed(0)} ms after the last request that it allows`);
    assert.ok(tookMs < EFFECTIVE_MS * 2, `${tookMs} ms`); // a busy machine
    const page = await get();
    assert.match(page.text, /1027/);

    await until(() => notices.some(({ body }) => body.includes('"percent":100')));
    const { headers, body } = notices.find((notice) => notice.body.includes('"percent":100'))!;
    const { account, limit, allowed, refused } = JSON.parse(body) as Record<string, unknown>;
    assert.deepEqual([account, limit, allowed, refused], [platform.account, 'daily_requests', 10, true]);
    const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-isola-signature']))!;
    assert.equal(signature, createHmac('sha256', key).update(`${at}.${body}`).digest('hex'));

    await platform.restart('SIGKILL');
    assert.equal((await get()).status, 429);
    const state = (await (await platform.control(`/accounts/${platform.account}/isola/quota`)).json()) as {
      result: { refused: boolean; requests_today: number };
    };
    assert.equal(state.result.refused, true);
    assert.ok(state.result.requests_today >= 10);
  });

  it('that is raised or fails open serves at once', async () => {
    const set = async (settings: object) => {
      const response = await platform.control(`/accounts/${platform.account}/isola/settings`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      });
      assert.equal(response.status, 200, await response.text());
    };
    await set({ overQuota: 'open' });
    assert.equal((await get()).status, 200);
    await set({ overQuota: 'closed' });
    assert.equal((await get()).status, 429);
    await set({ dailyRequests: 1_000_000 });
    assert.equal((await get()).status, 200);
    await set({ monthlyCpuMs: 0 });
    assert.equal((await get()).status, 429);
    await set({ dailyRequests: null, monthlyCpuMs: null, overQuota: null });
    assert.equal((await get()).status, 200);
  });
});
