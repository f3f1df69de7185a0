/** How the dashboard's files are served, how large they are, and where a try may go. No browser is needed. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const MAX_GZIP_BYTES = 250_000; // of all that is loaded without the editor
const BAD_REQUEST = 400;

describe('the dashboard', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await deployCode(
      platform,
      'mirror',
      'export default { fetch: (request) => Response.json([request.method, request.url, [...request.headers]]) };',
    );
  });
  after(() => platform.stop());

  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(platform.controlUrl + path, init);
  const assetsOf = (text: string): string[] => [
    ...new Set([...text.matchAll(/[\w-]+-[\w-]{8}\.(?:js|css|svg)/g)].map(([name]) => name)),
  ];

  it('is one page for all paths, under a policy that lets nothing else run', async () => {
    for (const path of ['/', '/dashboard', '/dashboard/', '/dashboard/a/main/workers/hello/edit']) {
      const page = await get(path);
      assert.equal(page.status, 200);
      assert.equal(page.headers.get('cache-control'), 'no-cache');
      const policy = page.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
      const html = await page.text();
      assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/);
    }
  });

  it(`has assets that are cached for ever, at most ${MAX_GZIP_BYTES / 1_000} kB of them without the editor`, async () => {
    const names = assetsOf(await (await get('/dashboard/')).text());
    let bytes = 0;
    let editors: string[] = [];
    for (const name of names) {
      const asset = await get(`/dashboard/assets/${name}`);
      assert.equal(asset.status, 200, name);
      assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(asset.headers.get('content-encoding'), 'gzip');
      bytes += Number(asset.headers.get('content-length'));
      editors = [...editors, ...assetsOf(await asset.text())].filter((one) => !names.includes(one));
    }
    assert.ok(names.length >= 3 && bytes > 0 && bytes <= MAX_GZIP_BYTES, `${bytes} bytes`);
    assert.equal(editors.length, 1, 'the editor is loaded on demand');
    assert.equal((await get(`/dashboard/assets/${editors[0]}`)).status, 200);
    assert.equal((await get('/dashboard/assets/..%2f..%2f..%2fpackage.json')).status, 404);
  });

  it('is not sent again when it is known', async () => {
    const etag = (await get('/dashboard/')).headers.get('etag') ?? '';
    const again = await get('/dashboard/', { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);
  });

  const attempt = (body: object, { account = platform.account, token = platform.token } = {}): Promise<Response> =>
    get(`/client/v4/accounts/${account}/workers/scripts/mirror/isola/try`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('tries a Worker under its own host name, whatever the request says', async () => {
    const headers = [['x-mine', 'a']];
    const response = await attempt({ method: 'POST', path: '//evil.test/x?y', headers, body: 'b' });
    const { result } = (await response.json()) as { result: { status: number; body: string } };
    const [method, url, seen] = JSON.parse(result.body) as [string, string, [string, string][]];
    assert.equal(method, 'POST');
    assert.equal(new URL(url).hostname, `mirror.${platform.account}.localhost`);
    assert.deepEqual(
      seen.filter(([name]) => name === 'x-mine'),
      [['x-mine', 'a']],
    );
    assert.ok(!JSON.stringify(seen).includes(platform.token));
  });

  it('refuses tries that would go elsewhere, or ask as somebody else', async () => {
    const refused: readonly object[] = [
      { path: 'http://evil.test/' },
      { path: '/ HTTP/1.1' },
      { path: '/\r\nhost: evil.test' },
      { method: 'CONNECT' },
      { headers: [['Host', 'evil.test']] },
      { headers: [['x-forwarded-for', '10.0.0.1']] },
      { headers: [['transfer-encoding', 'chunked']] },
      { headers: [['x', 'a\r\nhost: evil.test']] },
      { url: 'http://evil.test/' },
    ];
    for (const body of refused) assert.equal((await attempt(body)).status, BAD_REQUEST, JSON.stringify(body));
    assert.equal((await attempt({ version_id: '00000000-0000-4000-8000-000000000000/..' })).status, 404);
    assert.equal((await attempt({}, { account: 'other' })).status, 404);
    assert.equal((await attempt({}, { token: 'wrong' })).status, 401);
  });
});
