import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

/** `/put` stores one, `/fill…` 5 MB, any other path looks. */
const CODE = `
  export default { async fetch(request) {
    const url = 'http://cached.example/';
    if (request.url.endsWith('/put')) {
      await caches.default.put(url, new Response('x'.repeat(1e6), { headers: { 'cache-control': 'max-age=600' } }));
      return new Response('stored');
    }
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/fill')) {
      for (let index = 0; index < 5; index++) {
        await caches.default.put(url + pathname + index, new Response(new Uint8Array(1e6)));
      }
      return new Response('filled');
    }
    const hit = await caches.default.match(url);
    return new Response(hit === undefined ? 'nothing' : String((await hit.text()).length));
  } }`;
const OTHER = 'other';
const OTHER_HOST = `reader.${OTHER}.localhost`;

describe('The cache of a node', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    for (const [path, settings] of Object.entries({ account: { name: OTHER }, limits: { cpuMs: 5_000 } })) {
      const answer = await platform.control(`/accounts/${OTHER}/isola/${path}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      });
      assert.equal(answer.status, 200, await answer.text());
    }
    await deployCode(platform, 'writer', CODE);
    await deployCode(platform, 'reader', CODE);
    await deployCode({ account: OTHER, control: (path, init) => platform.control(path, init) }, 'reader', CODE);
  });
  after(() => platform.stop());

  it('is shared by the Workers of an account, and hidden from those of others', async () => {
    assert.equal((await platform.request('reader', '/')).text, 'nothing');
    assert.equal((await platform.request('writer', '/put')).text, 'stored');
    assert.equal((await platform.request('reader', '/')).text, '1000000');
    const other = await platform.request('reader', '/', { headers: { host: OTHER_HOST } });
    assert.equal(other.text, 'nothing');
  });

  it('survives the cell that filled it', async () => {
    const ready = platform.output.findLast((line) => line.includes('"event":"cell-ready"')) ?? '{}';
    const { pid } = JSON.parse(ready) as { pid: number };
    const replaced = platform.line(new RegExp(`"event":"cell-ready".*"pid":(?!${pid}\\b)`));
    process.kill(pid, 'SIGKILL');
    await replaced;
    assert.equal((await platform.request('reader', '/')).text, '1000000');
  });

  it('keeps what an account has when another one fills it', async () => {
    // More than an account's share.
    for (let index = 0; index < 8; index++) {
      const answer = await platform.request('reader', `/fill${index}`, { headers: { host: OTHER_HOST } });
      assert.equal(answer.text, 'filled');
    }
    assert.equal((await platform.request('reader', '/')).text, '1000000');
  });
});
