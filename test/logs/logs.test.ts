/** The log store by its front doors: the API and `isola logs`, of a whole platform. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { KEPT_LOG_BYTES } from '../../src/limits.ts';
import { spawnIsola } from '../helpers/isola-process.ts';
import { keepAsking } from '../helpers/keep-asking.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

interface Entry {
  readonly id: string;
  readonly ray: string;
  readonly worker: string;
  readonly outcome: string;
  readonly url: string;
  readonly dropped: number;
  readonly truncated: boolean;
  readonly logs: readonly { readonly level: string; readonly message: string }[];
  readonly exceptions: readonly { readonly message: string }[];
}

const TALKER = `export default { fetch(request) {
  const { searchParams } = new URL(request.url);
  console.log('hello ' + searchParams.get('name'));
  if (searchParams.has('throw')) throw new Error('thrown for ' + searchParams.get('name'));
  return new Response('done');
} }`;
const ENDLESS = `export default { fetch() {
  const line = 'x'.repeat(1000);
  for (let i = 0; i < 400; i++) console.log(line);
  return new Response('done');
} }`;

describe('The logs of Workers', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--keep-logs-mib', '1', '--cells', '1']);
    await deployCode(platform, 'talker', TALKER);
    await deployCode(platform, 'neighbour', TALKER);
    await deployCode(platform, 'endless', ENDLESS);
  });
  after(() => platform.stop());

  const list = async (query = '', account = 'main'): Promise<Entry[]> => {
    const response = await platform.control(`/accounts/${account}/isola/logs?${query}`);
    assert.equal(response.status, 200);
    return ((await response.json()) as { result: Entry[] }).result;
  };
  /** Records are some tenths of a second on their way. */
  const until = async (query: string, found: (entries: Entry[]) => boolean): Promise<Entry[]> => {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- until it is there
      const entries = await list(query);
      if (found(entries)) return entries;
    }
  };

  it('are found by Worker, outcome and text, without secrets of the URL', async () => {
    const { headers } = await platform.request('talker', '/?name=ada&token=s3cret');
    await platform.request('talker', '/?name=bob&throw');
    const [thrown] = await until('worker=talker&outcome=exception', ({ length }) => length === 1);
    assert.deepEqual(
      thrown?.logs.map(({ message }) => message),
      ['hello bob'],
    );
    assert.equal(thrown?.exceptions[0]?.message, 'thrown for bob');
    const [ada] = await until('text=ADA', ({ length }) => length === 1);
    assert.equal(ada?.ray, headers['x-isola-ray']);
    assert.match(ada!.url, /\?name=ada&token=REDACTED$/);
    assert.deepEqual(await list('text=s3cret'), []);
    assert.deepEqual(await list('worker=neighbour'), []);
  });

  it('are shown by isola logs, which goes on with --follow', async () => {
    await platform.request('talker', '/?name=carol');
    await until('text=carol', ({ length }) => length === 1);
    const env = { ISOLA_ADMIN_TOKEN: platform.token };
    const args = ['logs', 'talker', '--url', platform.controlUrl, '--text', 'carol'];
    const once = spawnIsola(args, env);
    assert.equal((await once.exited).code, 0);
    assert.match(once.stdout.join('\n'), /ok {2}talker {2}GET .*carol 200.*\n {2}log {2}hello carol$/);
    const following = spawnIsola([...args, '--follow'], env);
    await following.line(/hello carol/);
    await platform.request('talker', '/?name=carol2');
    await following.line(/hello carol2/);
    following.kill('SIGTERM');
    await following.exited;
  });

  it('of a Worker that logs without end are cut, counted, and take no more room than its account has', async () => {
    // 256 KiB each is what an invocation may: 64 of them are twice what may come in a burst.
    for (let at = 0; at < 8; at++) {
      // oxlint-disable-next-line no-await-in-loop -- eight at a time
      await Promise.all(Array.from({ length: 8 }, () => platform.request('endless', '/')));
    }
    // The neighbour in the same cell is served, and what it logs is there as soon as the account's rate allows.
    assert.equal((await platform.request('neighbour', '/?name=dave')).text, 'done');
    const [first] = await until('worker=endless&limit=1', ({ length }) => length === 1);
    assert.equal(first?.truncated, true);
    assert.ok(first.logs.length < 400);
    const entries = await (async () => {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- until the rate lets one through again
        await platform.request('neighbour', '/?name=dave');
        // oxlint-disable-next-line no-await-in-loop
        const found = await list('limit=1000');
        if (found.some(({ dropped }) => dropped > 0)) return found;
      }
    })();
    assert.ok(JSON.stringify(entries).length <= 1024 * 1024);
    const bytes = ['logs.sqlite', 'logs.sqlite-wal'].map((name) => statSync(join(platform.dataDir, name)).size);
    assert.ok(bytes.reduce((a, b) => a + b) < KEPT_LOG_BYTES / 8, `${bytes.join(' + ')} bytes on disk`);
  });

  it('survive a crash', async () => {
    // Asked for until one is kept: the account has used up its rate, and its room. More may be on its way still.
    const kept = until('worker=neighbour&limit=10', ({ length }) => length > 0);
    await keepAsking(kept, () => platform.request('neighbour', '/?name=erin'));
    const before = await kept;
    await platform.restart('SIGKILL');
    const after = await list('worker=neighbour&limit=1000');
    for (const entry of before)
      assert.deepEqual(
        after.find(({ ray }) => ray === entry.ray),
        entry,
      );
  });
});
