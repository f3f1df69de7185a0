import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { Tail, type TailEvent } from '../helpers/tail.ts';

const CODE = `
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    console.log('path', pathname, { nested: [1] });
    if (pathname === '/warn') console.warn('\\u001b[31mred');
    if (pathname === '/throw') throw new TypeError('thrown here');
    if (pathname === '/spin') for (;;);
    return new Response('fine', { status: 201 });
  },
  scheduled(controller) { console.log('cleaned', controller.cron); },
};`;

describe('wrangler tail', () => {
  let platform: TestPlatform;
  const folder = 'examples/hello'; // any: the Worker is named
  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--api-rate', '0']);
    await deployCode(platform, 'app', CODE);
  });
  after(() => platform.stop());

  const ask = (path: string, options = {}) => platform.request('app', path, options);
  const pathOf = ({ event }: TailEvent): string => new URL(event.request?.url ?? 'http://none/').pathname;
  const paths = (tail: Tail): string[] => tail.events.map(pathOf).filter((path) => path !== '/probe');
  const openTails = async (): Promise<number> => {
    const response = await platform.control(`/accounts/${platform.account}/workers/scripts/app/tails`);
    return ((await response.json()) as { result: unknown[] }).result.length;
  };

  it('shows requests with their answer, logs and exceptions; secrets of visitors are left out', async () => {
    await using tail = new Tail(platform, folder, ['app', '--format', 'json']);
    await tail.connected();
    const headers = { authorization: 'Bearer visitor', cookie: 'session=1', 'x-api-key': 'k', 'user-agent': 'test' };
    await ask('/warn?x=1', { headers, method: 'POST' });
    await ask('/throw');
    const [warned, thrown] = await tail.until(({ events }) => {
      const found = ['/warn', '/throw'].map((path) => events.find((event) => pathOf(event) === path));
      return found.includes(undefined) ? undefined : (found as [TailEvent, TailEvent]);
    });
    assert.equal(warned.outcome, 'ok');
    assert.equal(warned.scriptName, 'app');
    assert.match(warned.scriptVersion.id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(Date.now() - warned.eventTimestamp) < 60_000);
    const { request } = warned.event;
    assert.match(String(request?.url), /^http:\/\/app\.main\.localhost:\d+\/warn\?x=1$/);
    assert.equal(request?.method, 'POST');
    assert.equal(request.headers['user-agent'], 'test');
    for (const name of ['authorization', 'cookie', 'x-api-key']) assert.equal(request.headers[name], 'REDACTED', name);
    assert.deepEqual(warned.event.response, { status: 201 });
    assert.deepEqual(
      warned.logs.map(({ level }) => level),
      ['log', 'warn'],
    );
    assert.equal(warned.logs[1]?.message[0], '\u001b[31mred');
    assert.equal(thrown.outcome, 'exception');
    const [exception] = thrown.exceptions;
    assert.deepEqual([exception?.name, exception?.message], ['TypeError', 'thrown here']);
    assert.match(String(exception?.stack), /^ {4}at .*index\.js:\d+:\d+/);
    assert.ok(!tail.output.includes('Bearer visitor') && !tail.output.includes('session=1'));
    assert.equal(await tail.stop(), 0);
    assert.equal(await openTails(), 0);
  });

  it('shows scheduled events', async () => {
    await using tail = new Tail(platform, folder, ['app', '--format', 'json']);
    await tail.connected();
    await platform.control(`/accounts/${platform.account}/workers/scripts/app/isola/scheduled`, {
      method: 'POST',
      body: JSON.stringify({ cron: '*/5 * * * *', scheduledTime: 1_000 }),
    });
    const { event, logs } = await tail.until(({ events }) => events.find(({ event: { cron } }) => cron !== undefined));
    assert.deepEqual(event, { cron: '*/5 * * * *', scheduledTime: 1_000 });
    assert.match(String(logs[0]?.message), /cleaned/);
  });

  it('prints for people', async () => {
    await using tail = new Tail(platform, folder, ['app', '--format', 'pretty']);
    await tail.until(({ output }) => (output.includes('Connected to app') ? true : undefined));
    await ask('/throw');
    await tail.until(({ output }) =>
      output.includes('at Object.fetch') || /at .*index\.js/.test(output) ? true : undefined,
    );
    assert.match(tail.output, /Successfully created tail, expires at /);
    assert.match(tail.output, /GET http:\/\/app\.main\.localhost:\d+\/throw - Exception Thrown @/);
    assert.match(tail.output, /\(log\) path \/throw/);
    assert.match(tail.output, /TypeError: thrown here/);
  });

  for (const [option, value, matching, other] of [
    ['--status', 'error', { path: '/throw' }, { path: '/other' }],
    ['--status', 'ok', {}, { path: '/throw' }],
    ['--method', 'put', { method: 'PUT' }, { method: 'POST' }],
    ['--header', 'x-mark', { headers: { 'X-Mark': 'a' } }, {}],
    ['--header', 'x-mark:two', { headers: { 'x-mark': 'one two' } }, { headers: { 'x-mark': 'one' } }],
    ['--search', 'needle', { path: '/needle' }, {}],
    ['--ip', 'self', {}, undefined],
    ['--ip', '192.0.2.1', undefined, {}],
    ['--sampling-rate', '0.999999', {}, undefined],
    ['--version-id', '00000000-0000-4000-8000-000000000000', undefined, {}],
  ] as const) {
    it(`filters by ${option} ${value}`, async () => {
      await using tail = new Tail(platform, folder, ['app', '--format', 'json', option, value]);
      const send = (options: { path?: string; method?: string; headers?: object }, query: string) =>
        ask(`${options.path ?? '/plain'}?${query}`, options);
      const queries = (): string[] => tail.events.map(({ event }) => new URL(event.request?.url ?? '').search);
      if (matching === undefined) {
        // Nothing will be shown: beside it is one that shows when everything has arrived.
        await using whole = new Tail(platform, folder, ['app', '--format', 'json']);
        await whole.connected(2);
        await send(other, 'other');
        await whole.until(({ events }) => events.find(({ event }) => event.request?.url.endsWith('?other')));
        assert.equal(await tail.stop(), 0);
        assert.deepEqual(tail.events, []);
        return;
      }
      await tail.connected();
      if (other !== undefined) await send(other, 'other');
      await send(matching, 'last');
      await tail.until(() => (queries().includes('?last') ? true : undefined));
      assert.ok(!queries().includes('?other'));
    });
  }

  it('goes on with the next cell when one ends, and shows what passed a limit', async () => {
    await using tail = new Tail(platform, folder, ['app', '--format', 'json']);
    await tail.connected();
    const { pid } = JSON.parse(platform.output.find((line) => line.includes('"cell-ready"')) ?? '') as { pid: number };
    process.kill(pid, 'SIGKILL');
    await platform.line(/"event":"cell-ready"/);
    await ask('/spin');
    const event = await tail.until(({ events }) => events.find((candidate) => pathOf(candidate) === '/spin'));
    assert.equal(event.outcome, 'exceededCpu');
    assert.deepEqual(event.event.response, { status: 503 });
    assert.ok(event.cpuTime >= 50);
    assert.ok(!paths(tail).includes('/other'));
  });

  it('ends when the Worker is deleted', async () => {
    await deployCode(platform, 'doomed', CODE);
    await using tail = new Tail(platform, folder, ['doomed', '--format', 'json']);
    await tail.connected();
    await platform.control(`/accounts/${platform.account}/workers/scripts/doomed`, { method: 'DELETE' });
    await tail.exited;
    assert.doesNotMatch(tail.output, /Reconnecting/);
  });

  it('of a Worker that is not there says so', async () => {
    await using tail = new Tail(platform, folder, ['nobody', '--format', 'json']);
    assert.equal(await tail.exited, 1);
    assert.match(tail.output, /10007/);
  });
});
