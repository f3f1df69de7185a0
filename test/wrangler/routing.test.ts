import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type DnsServer, startDnsServer } from '../helpers/dns-server.ts';
import { Tail } from '../helpers/tail.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('Routes, domains and previews by stock wrangler', () => {
  let platform: TestPlatform;
  let dns: DnsServer;
  let folder: string;

  before(async () => {
    dns = await startDnsServer();
    platform = await startTestPlatform(['--dns-server', dns.address]);
    folder = await mkdtemp(join(tmpdir(), 'isola-routing-'));
  });
  after(async () => {
    await platform.stop();
    await dns[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Writes a project of this name. Its Worker answers with its name, the text and the path. */
  const project = async (name: string, config: object, body = 'one'): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    const all = { name, main: 'index.js', compatibility_date: '2026-01-01', ...config };
    await writeFile(join(path, 'wrangler.json'), JSON.stringify(all));
    await writeFile(
      join(path, 'index.js'),
      `export default { fetch: (request) => new Response('${name} ${body} ' + new URL(request.url).pathname) };\n`,
    );
    return path;
  };
  const get = (host: string, path = '/'): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(platform.gatewayUrl);
      const req = request({ hostname, port, path, agent: false, headers: { host } }, (res) => {
        text(res).then((body) => resolve({ status: res.statusCode ?? 0, body }), reject);
      });
      req.on('error', reject);
      req.end();
    });
  const prove = async (name: string, account = 'main'): Promise<void> => {
    const asked = await platform.control(`/accounts/${account}/isola/zones`, {
      method: 'POST',
      body: JSON.stringify({ name }),
    });
    const { result } = (await asked.json()) as { result: { challenge: { name: string; value: string } } };
    dns.records.set(result.challenge.name, [result.challenge.value]);
  };

  it('a route needs a proof, which the error explains; the next deploy finds it', async () => {
    const shop = await project('shop', {
      routes: ['shop.example.com/api/*', { pattern: '*.example.com/*', zone_name: 'example.com' }],
    });
    const failure = await platform.deploy(shop).then(
      () => '',
      (error: Error) => error.message,
    );
    const [, name = '', value = ''] = /(_isola-challenge\.example\.com) TXT "([^"]+)"/.exec(failure) ?? [];
    assert.equal(name, '_isola-challenge.example.com', failure);
    assert.match(failure, /10341/);
    assert.equal((await get('shop.example.com', '/api/x')).status, 404);

    dns.records.set(name, ['something else', value]);
    const output = await platform.deploy(shop);
    assert.match(output, /shop\.example\.com\/api\/\*/);
    assert.deepEqual(await get('shop.example.com', '/api/x'), { status: 200, body: 'shop one /api/x' });
    assert.deepEqual(await get('other.example.com', '/y'), { status: 200, body: 'shop one /y' });
    assert.equal((await get('example.com', '/y')).status, 404);
    // Routes in the configuration switch the default URL off.
    assert.equal((await get('shop.main.localhost')).status, 404);
  });

  it('triggers deploy replaces the routes, and the default URL comes back', async () => {
    const shop = await project('shop', { workers_dev: true, routes: ['shop.example.com/v2/*'] });
    await platform.wrangler(shop, ['triggers', 'deploy']);
    assert.equal((await get('shop.example.com', '/api/x')).status, 404);
    assert.equal((await get('shop.example.com', '/v2/x')).body, 'shop one /v2/x');
    assert.equal((await get('shop.main.localhost')).body, 'shop one /');
  });

  it('tail finds a Worker by its route', async () => {
    await using tail = new Tail(platform, folder, ['shop.example.com/v2/*', '--format', 'pretty']);
    await tail.until(({ output }) => (output.includes('Connected to shop') ? true : undefined));
    await tail.stop();
  });

  it('custom domains serve every path, move between Workers, and go with their Worker', async () => {
    const config = { routes: [{ pattern: 'www.example.com', custom_domain: true }] };
    const first = await project('first', config);
    assert.match(await platform.deploy(first), /www\.example\.com \(custom domain\)/);
    assert.equal((await get('WWW.example.com.', '/a?b')).body, 'first one /a');
    const second = await project('second', config);
    await platform.deploy(second);
    assert.equal((await get('www.example.com')).body, 'second one /');
    await platform.wrangler(second, ['delete', '--force']);
    assert.equal((await get('www.example.com')).status, 404);
    await platform.deploy(await project('second', {}));
    assert.equal((await get('www.example.com')).status, 404);
  });

  it('a route of another Worker is not taken over', async () => {
    const thief = await project('thief', { routes: ['shop.example.com/v2/*'] });
    await assert.rejects(platform.deploy(thief), /assigned to another worker[\s\S]*shop/);
    const worker = await project('thief', { workers_dev: true, routes: ['shop.example.com/v2/*'] });
    await assert.rejects(platform.deploy(worker), /it leads to 'shop'[\s\S]*10342/);
    assert.equal((await get('shop.example.com', '/v2/x')).body, 'shop one /v2/x');
  });

  it('another account gets neither the name nor what overlaps it, and does not hear whose it is', async () => {
    await platform.control('/accounts/rival/isola/account', { method: 'PUT', body: '{}' });
    const env = { CLOUDFLARE_ACCOUNT_ID: 'rival' };
    for (const pattern of ['shop.example.com/*', 'deep.shop.example.com/*', '*example.com/*']) {
      const rival = await project('rival', { routes: [pattern] });
      await assert.rejects(platform.wrangler(rival, ['deploy'], { env }), (error: Error) => {
        assert.match(error.message, /is in use[\s\S]*10342/, pattern);
        assert.doesNotMatch(error.message, /main|shop one/, pattern);
        return true;
      });
    }
    const inBase = await project('rival', { routes: [{ pattern: 'shop.main.localhost', custom_domain: true }] });
    await assert.rejects(platform.wrangler(inBase, ['deploy'], { env }), /names below rival\.localhost[\s\S]*10340/);
    const own = await project('rival', { routes: [{ pattern: 'www.rival.localhost', custom_domain: true }] });
    await platform.wrangler(own, ['deploy'], { env });
    assert.equal((await get('www.rival.localhost')).body, 'rival one /');
  });

  it('versions have preview URLs, an alias moves to the newest upload, and neither is deployed', async () => {
    const site = await project('site', { preview_urls: true, workers_dev: true });
    await platform.deploy(site);
    const upload = async (body: string): Promise<string> => {
      await project('site', { preview_urls: true, workers_dev: true }, body);
      const output = await platform.wrangler(site, ['versions', 'upload', '--preview-alias', 'staging']);
      assert.match(output, /Version Preview Alias URL: https:\/\/staging-site\.main\.localhost:\d+/);
      return /Version Preview URL: https:\/\/(\w{8}-site\.main\.localhost)/.exec(output)?.[1] ?? output;
    };
    const second = await upload('two');
    assert.equal((await get(second)).body, 'site two /');
    assert.equal((await get('staging-site.main.localhost')).body, 'site two /');
    const third = await upload('three');
    assert.equal((await get(second)).body, 'site two /');
    assert.equal((await get(third)).body, 'site three /');
    assert.equal((await get('staging-site.main.localhost')).body, 'site three /');
    assert.equal((await get('site.main.localhost')).body, 'site one /');
    assert.equal((await get('nothing-site.main.localhost')).status, 404);

    await platform.deploy(await project('staging-site', {}));
    assert.equal((await get('staging-site.main.localhost')).body, 'staging-site one /');
    await project('site', { preview_urls: true, workers_dev: true }, 'four');
    await assert.rejects(
      platform.wrangler(site, ['versions', 'upload', '--preview-alias', 'staging']),
      /there is a Worker named 'staging-site'[\s\S]*10343/,
    );

    await project('site', { preview_urls: false, workers_dev: true });
    await platform.wrangler(site, ['triggers', 'deploy']);
    assert.equal((await get(second)).status, 404);
  });

  it('routes are there after a restart', async () => {
    await platform.restart();
    assert.equal((await get('shop.example.com', '/v2/x')).body, 'shop one /v2/x');
    assert.equal((await get('www.rival.localhost')).body, 'rival one /');
  });

  it('tls/ask says which hosts are served', async () => {
    const ask = async (domain: string): Promise<number> =>
      (await fetch(`${platform.controlUrl}/tls/ask?domain=${encodeURIComponent(domain)}`)).status;
    await prove('wild.test');
    const zones = await platform.control('/zones?name=wild.test&account.id=main');
    const { result } = (await zones.json()) as { result: { id: string }[] };
    const routes = `/zones/${result[0]?.id}/workers/routes`;
    const post = (body: object) => platform.control(routes, { method: 'POST', body: JSON.stringify(body) });
    assert.equal((await post({ pattern: '*.wild.test/*', script: 'shop' })).status, 200);
    assert.equal((await post({ pattern: 'a.wild.test/private*' })).status, 200);
    assert.equal((await get('a.wild.test', '/x')).status, 200);
    assert.equal((await get('a.wild.test', '/private/x')).status, 404);
    for (const host of [
      'shop.main.localhost',
      'shop.example.com',
      'SHOP.Example.com.',
      'www.rival.localhost',
      'a.wild.test',
    ]) {
      assert.equal(await ask(host), 200, host);
    }
    for (const host of [
      'nope.main.localhost',
      'example.com',
      'wild.test',
      '127.0.0.1',
      '',
      'x'.repeat(300),
      'www.main.localhost',
    ]) {
      assert.equal(await ask(host), 404, host);
    }
    assert.equal((await fetch(`${platform.controlUrl}/tls/ask`)).status, 400);
  });
});
