import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const VERSIONS = 10;

describe('A deploy under load', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform();
    await deployCode(platform, 'app', versioned(0));
  });
  after(() => platform.stop());

  it('fails no request, and the new version answers once the API has', async () => {
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'app.main.localhost', clients: 16 });
    await load.answered(100);
    for (let version = 1; version <= VERSIONS; version++) {
      await deployCode(platform, 'app', versioned(version));
      assert.equal((await platform.request('app', '/')).text, `v${version}`);
    }
    const { statuses, failures, bodies } = await load.stop();
    assert.deepEqual(failures, []);
    assert.deepEqual([...statuses.keys()], [200]);
    assert.deepEqual(
      bodies,
      bodies.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      'no client went back to an older version',
    );
  });

  it('lets the old version finish what it runs', async () => {
    await deployCode(
      platform,
      'slow',
      'export default { async fetch() { const { readable, writable } = new TransformStream(); const w = writable.getWriter(); const e = new TextEncoder(); (async () => { for (let i = 0; i < 5; i++) { await w.write(e.encode(`old${i} `)); await new Promise((r) => setTimeout(r, 20)); } await w.close(); })(); return new Response(readable); } }',
    );
    const streaming = await platform.open('slow', '/');
    await deployCode(platform, 'slow', 'export default { fetch: () => new Response("new") }');
    assert.equal((await platform.request('slow', '/')).text, 'new');
    let text = '';
    for await (const chunk of streaming.setEncoding('utf8')) text += chunk as string;
    assert.equal(text, 'old0 old1 old2 old3 old4 ');
  });

  it('answers every request that was under way when the platform is told to stop', async () => {
    await deployCode(
      platform,
      'drains',
      'export default { async fetch() { await new Promise((r) => setTimeout(r, 200)); return new Response("done"); } }',
    );
    const asked = Array.from({ length: 20 }, () => platform.request('drains', '/'));
    // They are under way once one that was sent after them has been answered.
    await platform.request('app', '/');
    await platform.stop();
    const answers = await Promise.all(asked);
    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)), new Set(['200 done']));
  });
});

function versioned(version: number): string {
  return `export default { fetch: () => new Response("v${version}") }`;
}
