import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const LARGE = randomBytes(3 * 1024 * 1024);

describe('Static assets that stock wrangler uploads', () => {
  let platform: TestPlatform;
  let root: string;

  before(async () => {
    platform = await startTestPlatform();
    root = await mkdtemp(join(tmpdir(), 'isola-assets-'));
  });
  after(async () => {
    await platform.stop();
    await rm(root, { recursive: true, force: true });
  });

  const write = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<void> => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), content);
    }
  };
  const configure = (name: string, assets: object, more: object = {}) =>
    write({
      [`${name}/wrangler.json`]: JSON.stringify({
        name,
        compatibility_date: '2026-01-01',
        preview_urls: true,
        workers_dev: true,
        assets: { directory: 'public', ...assets },
        ...more,
      }),
    });
  const text = async (worker: string, path: string, headers: Record<string, string> = {}): Promise<string> => {
    const { status, text, headers: answered } = await platform.request(worker, path, { headers });
    return `${status} ${answered.location ?? text}`;
  };

  it('are all there is of a Worker, if it wants nothing else', async () => {
    await configure('site', { not_found_handling: '404-page' });
    await write({
      'site/public/index.html': 'home',
      'site/public/blog/404.html': 'no post',
      'site/public/404.html': 'nothing',
      'site/public/a b/ü.txt': 'umlaut',
      'site/public/large.bin': LARGE,
      'site/public/.assetsignore': 'secret.txt\n',
      'site/public/secret.txt': 'secret',
    });
    assert.match(await platform.deploy(join(root, 'site')), /Uploaded 5 of 5 assets/);
    assert.equal(await text('site', '/'), '200 home');
    assert.equal(await text('site', '/index.html'), '307 /');
    assert.equal(await text('site', '/blog/x'), '404 no post');
    assert.equal(await text('site', '/secret.txt'), '404 nothing');
    assert.equal(await text('site', '/_redirects'), '404 nothing');
    assert.equal(await text('site', '/a%20b/%C3%BC.txt'), '200 umlaut');
    const large = await platform.open('site', '/large.bin');
    assert.ok((await buffer(large)).equals(LARGE));
    assert.equal((await platform.request('site', '/', { method: 'DELETE' })).status, 405);
  });

  it('are sent once: later deployments bring what has changed', async () => {
    await write({ 'site/public/index.html': 'new home' });
    const output = await platform.deploy(join(root, 'site'));
    assert.match(output, /Found 1 new or modified static asset/);
    assert.equal(await text('site', '/'), '200 new home');
    assert.equal(await text('site', '/blog/x'), '404 no post');
  });

  it('go back with a rollback', async () => {
    await platform.wrangler(join(root, 'site'), ['rollback', '-y']);
    assert.equal(await text('site', '/'), '200 home');
  });

  it('are those of the version, where two share the traffic', async () => {
    await write({ 'site/public/index.html': 'third home' });
    const output = await platform.wrangler(join(root, 'site'), ['versions', 'upload']);
    const id = /Worker Version ID: (\S+)/.exec(output)?.[1] ?? '';
    assert.equal(await text('site', '/'), '200 home');
    assert.equal(await text(`${id.slice(0, 8)}-site`, '/'), '200 third home'); // its preview
    const { result } = (await (
      await platform.control(`/accounts/${platform.account}/workers/scripts/site/deployments`)
    ).json()) as { result: { deployments: { versions: { version_id: string }[] }[] } };
    const serving = result.deployments[0]?.versions[0]?.version_id ?? '';
    await platform.wrangler(join(root, 'site'), ['versions', 'deploy', `${id}@50%`, `${serving}@50%`, '-y']);
    const seen = new Set<string>();
    for (let i = 0; i < 30; i++) seen.add(await text('site', '/', { 'x-isola-version-key': `client ${i}` }));
    assert.deepEqual([...seen].toSorted(), ['200 home', '200 third home']);
  });

  it('are a single-page application with an API', async () => {
    await configure('app', { not_found_handling: 'single-page-application' }, { main: 'index.js' });
    await write({
      'app/public/index.html': 'app',
      'app/index.js': `export default { fetch: (request) => new Response('api ' + new URL(request.url).pathname) };`,
    });
    await platform.deploy(join(root, 'app'));
    assert.equal(await text('app', '/deep/link', { 'sec-fetch-mode': 'navigate' }), '200 app');
    assert.equal(await text('app', '/deep/link'), '200 api /deep/link');
    assert.equal(await text('app', '/'), '200 app');
  });

  it('are there for the Worker that is asked first, and for one that is bound to it', async () => {
    await configure('first', { binding: 'FILES', run_worker_first: true }, { main: 'index.js' });
    await write({
      'first/public/page.html': 'page',
      'first/public/large.bin': LARGE,
      'first/index.js': `export default {
        async fetch(request, env) {
          const answer = await env.FILES.fetch(request);
          return new Response(answer.body, { status: answer.status, headers: { ...Object.fromEntries(answer.headers), by: 'worker' } });
        },
      };`,
      'caller/index.js': `export default { fetch: (request, env) => env.SITE.fetch(request) };`,
      'caller/wrangler.json': JSON.stringify({
        name: 'caller',
        main: 'index.js',
        compatibility_date: '2026-01-01',
        services: [{ binding: 'SITE', service: 'site' }],
      }),
    });
    await platform.deploy(join(root, 'first'));
    const page = await platform.request('first', '/page');
    assert.deepEqual([page.status, page.text, page.headers['by']], [200, 'page', 'worker']);
    const cached = await platform.request('first', '/page', {
      headers: { 'if-none-match': String(page.headers.etag) },
    });
    assert.equal(cached.status, 304);
    const part = await platform.request('first', '/page', { headers: { range: 'bytes=1-2' } });
    assert.deepEqual([part.status, part.text], [206, 'ag']);
    assert.equal((await platform.request('first', '/none')).status, 404);
    assert.ok((await buffer(await platform.open('first', '/large.bin'))).equals(LARGE));
    assert.equal((await platform.request('first', '/page', { method: 'POST', body: 'x'.repeat(100_000) })).status, 405);
    // A client that leaves in the middle.
    const left = await platform.open('first', '/large.bin');
    await once(left, 'readable');
    left.destroy();

    await platform.deploy(join(root, 'caller'));
    assert.equal(await text('caller', '/blog/x'), '404 no post');
  });
});
