import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/assets', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await platform.deploy('examples/assets');
  });
  after(() => platform.stop());

  it('serves files by the gateway, with their headers', async () => {
    const home = await platform.request('assets', '/');
    assert.equal(home.status, 200);
    assert.match(home.text, /<h1>Home/);
    assert.equal(home.headers['x-frame-options'], 'DENY');
    const css = await platform.request('assets', '/css/site.css');
    assert.equal(css.headers['content-type'], 'text/css; charset=utf-8');
    assert.equal(css.headers['cache-control'], 'public, max-age=31536000, immutable');
    const cached = await platform.request('assets', '/css/site.css', {
      headers: { 'if-none-match': String(css.headers.etag) },
    });
    assert.equal(cached.status, 304);
  });

  it('redirects and rewrites', async () => {
    const home = await platform.request('assets', '/home?a=1');
    assert.deepEqual([home.status, home.headers.location], [301, '/?a=1']);
    const blog = await platform.request('assets', '/blog/2026/x');
    assert.deepEqual([blog.status, blog.headers.location], [302, 'https://blog.example.com/2026/x']);
    assert.match((await platform.request('assets', '/team')).text, /<h1>About/);
  });

  it('asks the Worker about its paths, and the Worker asks for files', async () => {
    assert.ok('now' in JSON.parse((await platform.request('assets', '/api/time')).text));
    assert.match(JSON.parse((await platform.request('assets', '/api/card')).text).about, /<h1>About/);
    assert.match((await platform.request('assets', '/api/docs')).text, /GET \/api\/time/);
    for (const path of ['/api/nothing', '/nothing']) {
      const { status, text } = await platform.request('assets', path);
      assert.equal(status, 404);
      assert.match(text, /Nothing here/);
    }
  });

  it('has another environment', async () => {
    const output = await platform.deploy('examples/assets', ['-e', 'staging']);
    assert.match(output, /No updated asset files to upload/);
    assert.match((await platform.request('assets-staging', '/about')).text, /<h1>About/);
  });
});
