/** Workers that cost a cell are kept apart from then on; and accounts of different trust never meet. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const CLIENTS = 8;
const HELLO = 'export default { fetch: () => new Response("hello") }';
// indexOf of that length is a built-in which nothing interrupts.
const STUCK =
  'const stick = () => [].indexOf.call({ length: 2 ** 53 - 1 }, 7);' +
  'export default { fetch(request) { if (request.url.endsWith("/stuck")) stick(); return new Response("fine") } }';
const STUCK_AT_START = `[].indexOf.call({ length: 2 ** 53 - 1 }, 7);${HELLO}`;

interface PlatformLine {
  readonly event: string;
  readonly id?: string;
  readonly cordon?: string;
  readonly worker?: string;
  readonly until?: string;
}

describe('A Worker that costs a cell', () => {
  let platform: TestPlatform;
  const acme = { account: 'acme' };
  const ask = async (worker: string, path = '/') => (await platform.request(worker, path, acme)).status;
  const control = (path: string, init?: RequestInit) => platform.control(path, init);

  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await makeAccount(platform, 'acme');
    await deployCode(platform, 'hello', HELLO);
    for (const name of ['bad', 'worse']) await deployCode({ ...acme, control }, name, STUCK);
    await deployCode({ ...acme, control }, 'good', HELLO);
  });
  after(() => platform.stop());

  it('gets a 502 and is kept apart for an hour; others lose what had been begun, at most', async () => {
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hello.main.localhost', clients: CLIENTS });
    await load.answered(100);
    const kept = platform.line(/"event":"quarantine"/);
    assert.equal(await ask('bad', '/stuck'), 502);
    const { worker, until = '' } = parse(await kept);
    assert.equal(worker, 'bad');
    assert.ok(Math.abs(Date.parse(until) - Date.now() - 3_600_000) < 60_000);
    await load.answered(100);
    const { statuses, failures } = await load.stop();
    assert.deepEqual(failures, []);
    const { 200: answered = 0, 502: lost = 0, ...others } = Object.fromEntries(statuses);
    assert.ok(answered > 100);
    assert.ok(lost <= CLIENTS);
    assert.deepEqual(others, {});
  });

  it('meets nobody but its own account from then on', async () => {
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hello.main.localhost', clients: CLIENTS });
    const lost = platform.line(/"event":"cell-exit"/);
    assert.equal(await ask('bad', '/stuck'), 502);
    assert.equal(parse(await lost).cordon, 'q.acme');
    assert.equal(await ask('bad'), 200);
    assert.equal(await ask('good'), 200);
    const { statuses, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.deepEqual([...statuses.keys()], [200]);
  });

  it('is in the audit log, with who says so', async () => {
    const response = await platform.control('/accounts/acme/isola/audit?action=worker.quarantine');
    const { result } = (await response.json()) as { result: { actor: string; target: string }[] };
    assert.deepEqual(new Set(result.map(({ actor, target }) => `${actor} ${target}`)), new Set(['platform bad']));
  });

  it('counts in the metrics', async () => {
    const url = new URL('/metrics', platform.controlUrl);
    const response = await fetch(url, { headers: { authorization: `Bearer ${platform.token}` } });
    assert.match(await response.text(), /^isola_quarantined_workers 1$/m);
  });

  it('stays apart after a restart', async () => {
    await platform.restart('SIGTERM');
    const ready = platform.line(/"event":"cell-ready".*"cordon":"q\.acme"/);
    assert.equal(await ask('bad'), 200);
    await ready;
  });

  it('that cannot be uploaded costs one cell of others, and no second one', async () => {
    const upload = () => deployCode({ ...acme, control }, 'upload', STUCK_AT_START);
    const first = platform.line(/"event":"cell-exit"/);
    await assert.rejects(upload, /could not be stopped in time/);
    // In quarantine from the first one on, as the account has a Worker there.
    assert.equal(parse(await first).cordon, 'q.acme');
  });

  it('that cannot be uploaded is tried once, whoever its account is', async () => {
    await makeAccount(platform, 'fresh');
    const lost = platform.line(/"event":"cell-exit"/);
    const upload = () => deployCode({ account: 'fresh', control }, 'upload', STUCK_AT_START);
    await assert.rejects(upload, /could not be stopped in time/);
    assert.equal(parse(await lost).cordon, 'default');
    // One entry for each cell that it has cost.
    const response = await platform.control('/accounts/fresh/isola/audit?action=worker.quarantine');
    assert.equal(((await response.json()) as { result: unknown[] }).result.length, 1);
  });
});

describe('A cell', () => {
  it('that takes more memory than it may is ended, and replaced', async () => {
    await using platform = await startTestPlatform(['--cells', '1', '--cell-memory-mib', '260']);
    await deployCode(platform, 'hello', HELLO);
    // Several, each within its own limit, and all of them kept: idle ones would be given up for their memory.
    const code =
      'const kept = []; export default { async fetch() { kept.push(new Uint8Array(60 << 20).fill(1)); await scheduler.wait(20_000); return new Response("ok") } }';
    const lost = platform.line(/"event":"cell-exit".*out of memory/);
    const back = platform.line(/"event":"cell-ready"/);
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) await deployCode(platform, name, code);
    await Promise.all(names.map((name) => platform.request(name, '/')));
    await lost;
    await back;
    assert.equal((await platform.request('hello', '/')).text, 'hello');
  });
});

describe('An account', () => {
  it('that is trusted, or isolated, has cells that no other account has; and leaves them again', async () => {
    await using platform = await startTestPlatform(['--cells', '1']);
    const acme = { account: 'acme', control: (path: string, init?: RequestInit) => platform.control(path, init) };
    await makeAccount(platform, 'acme');
    await deployCode(acme, 'hello', HELLO);
    const ask = async () => assert.equal((await platform.request('hello', '/', { account: 'acme' })).text, 'hello');
    await ask();
    for (const [change, cordon] of [
      [{ cordon: 'trusted' }, 't.trusted'],
      [{ isolation: 'process' }, 'p.acme'],
    ] as const) {
      const ready = platform.line(
        new RegExp(`"event":"cell-ready".*"cordon":"${cordon.replace('.', String.raw`\.`)}"`),
      );
      await set(platform, 'acme', change);
      await ask();
      await ready;
    }
    const ended = platform.line(/"event":"cell-exit".*"cordon":"p\.acme"/);
    await set(platform, 'acme', { cordon: null, isolation: null });
    await ask();
    await ended;
  });
});

async function makeAccount(platform: TestPlatform, id: string): Promise<void> {
  const response = await platform.control(`/accounts/${id}/isola/account`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: id }),
  });
  assert.equal(response.status, 200, await response.text());
}

async function set(platform: TestPlatform, id: string, changes: object): Promise<void> {
  const response = await platform.control(`/accounts/${id}/isola/settings`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(changes),
  });
  assert.equal(response.status, 200, await response.text());
}

function parse(line: string): PlatformLine {
  return JSON.parse(line) as PlatformLine;
}
