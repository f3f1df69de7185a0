/** Two accounts on one platform: whatever Mallory's token, Workers and URLs try, nothing of the victim's comes back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode, toUploadForm } from '../helpers/quick-deploy.ts';

const CANARY = 'canary-of-the-victim';
const MALLORY = 'mallory';
const KEY = 'the-key';
const CACHED = 'http://cached.example/page';
const VICTIM = `
  import { WorkerEntrypoint } from 'cloudflare:workers';
  export class Inner extends WorkerEntrypoint { fetch() { return new Response('${CANARY}'); } }
  export default {
    async fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (pathname === '/fill') {
        await env.KV.put('${KEY}', '${CANARY}', { metadata: '${CANARY}' });
        const stored = () => new Response('${CANARY}', { headers: { 'cache-control': 'max-age=3600' } });
        await caches.default.put('${CACHED}', stored());
        await (await caches.open('named')).put('${CACHED}', stored());
        globalThis.kept = '${CANARY}';
        console.log('${CANARY}');
        return new Response('filled');
      }
      const cached = await (await caches.default.match('${CACHED}'))?.text();
      const named = await (await (await caches.open('named')).match('${CACHED}'))?.text();
      return Response.json([await env.KV.get('${KEY}'), cached, named, env.TEXT]);
    },
    scheduled() {},
  };`;

interface Reply {
  readonly status: number;
  readonly text: string;
}

describe('Another account', { timeout: 110_000 }, () => {
  let platform: TestPlatform;
  let token: string;
  let namespace: string;
  let version: string;
  let alias: string;

  /** A call of the control API, as Mallory unless told otherwise. */
  const api = async (method: string, path: string, body?: unknown, bearer = token): Promise<Reply> => {
    const response = await fetch(`${platform.controlUrl}/client/v4${path}`, {
      method,
      headers: {
        authorization: `Bearer ${bearer}`,
        ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  };
  const resultOf = ({ status, text }: Reply): Record<string, string> => {
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { result: Record<string, string> }).result;
  };
  const asMallory = { account: MALLORY, control: (path: string, init?: RequestInit) => platform.control(path, init) };
  /** Runs the body of a fetch handler as a Worker of Mallory's, and answers its text. */
  const run = async (body: string, bindings: readonly object[] = []): Promise<string> => {
    await deployCode(asMallory, 'shop', `export default { async fetch(request, env, ctx) { ${body} } }`, bindings);
    return (await platform.request('shop', '/', { account: MALLORY })).text;
  };
  const victimState = async (): Promise<string> => (await platform.request('shop', '/')).text;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--api-rate', '0']);
    const created = await runIsola(platform, ['account', 'create', MALLORY]);
    assert.equal(created.code, 0, created.stderr);
    ({ stdout: token } = await runIsola(platform, ['token', 'create', 'all', '--account', MALLORY]));
    await platform.deploy('examples/assets');
    const namespaces = `/accounts/${platform.account}/storage/kv/namespaces`;
    ({ id: namespace = '' } = resultOf(await api('POST', namespaces, { title: 'notes' }, platform.token)));
    await deployCode(platform, 'shop', VICTIM, [
      { type: 'kv_namespace', name: 'KV', namespace_id: namespace },
      { type: 'plain_text', name: 'TEXT', text: CANARY },
    ]);
    const script = `/accounts/${platform.account}/workers/scripts/shop`;
    resultOf(await api('POST', `${script}/subdomain`, { enabled: true, previews_enabled: true }, platform.token));
    const secret = { name: 'SECRET', text: CANARY, type: 'secret_text' };
    resultOf(await api('PUT', `${script}/secrets`, secret, platform.token));
    const { items } = resultOf(await api('GET', `${script}/versions`, undefined, platform.token));
    version = (items as unknown as { id: string }[])[0]?.id ?? '';
    alias = version.slice(0, 8);
    assert.equal((await platform.request('shop', '/fill')).text, 'filled');
    assert.deepEqual(JSON.parse(await victimState()), [CANARY, CANARY, CANARY, CANARY]);
  });
  after(() => platform.stop());

  it('finds nothing in the caches, under the same keys, and removes nothing', async () => {
    const text = await run(`
      const found = [];
      for (const cache of [caches.default, await caches.open('named'), await caches.open('default'), await caches.open('main'), await caches.open('main:named'), await caches.open('../main/named'), await caches.open('')]) {
        for (const key of ['${CACHED}', new Request('${CACHED}'), '${CACHED}#x']) {
          found.push(await (await cache.match(key))?.text());
          found.push(await cache.delete(key));
        }
      }
      return Response.json(found.filter((one) => one !== undefined && one !== false && one !== null));`);
    assert.equal(text, '[]');
  });

  it('is not let to bind the victim’s KV namespace, nor finds its keys in one of its own', async () => {
    const binding = { type: 'kv_namespace', name: 'KV', namespace_id: namespace };
    const script = `/accounts/${MALLORY}/workers/scripts/thief`;
    const refused = await api('PUT', script, toUploadForm('export default { fetch() {} }', [binding]));
    assert.ok(refused.status >= 400 && !refused.text.includes(CANARY), refused.text);
    const unknown = { ...binding, namespace_id: '0'.repeat(32) };
    const other = await api('PUT', script, toUploadForm('export default { fetch() {} }', [unknown]));
    // The same answer as for one that is nowhere, so that nobody learns which ids there are.
    assert.equal(refused.text.replaceAll(namespace, 'ID'), other.text.replaceAll('0'.repeat(32), 'ID'));

    const namespaces = `/accounts/${MALLORY}/storage/kv/namespaces`;
    const { id } = resultOf(await api('POST', namespaces, { title: 'notes' }));
    const text = await run(
      `const { value, metadata } = await env.KV.getWithMetadata('${KEY}');
       const { keys } = await env.KV.list();
       await env.KV.delete('${KEY}');
       return Response.json([value, metadata, keys.length]);`,
      [{ type: 'kv_namespace', name: 'KV', namespace_id: id }],
    );
    assert.deepEqual(JSON.parse(text), [null, null, 0]);
    for (const path of [
      `${namespaces}/${namespace}/values/${KEY}`,
      `${namespaces}/${namespace}/keys`,
      `${namespaces}/${namespace}/metadata/${KEY}`,
    ]) {
      const reply = await api('GET', path);
      assert.ok(reply.status === 404 && !reply.text.includes(CANARY), `${path}: ${reply.text}`);
    }
    for (const [method, path] of [
      ['PUT', `${namespaces}/${namespace}/values/${KEY}`],
      ['DELETE', `${namespaces}/${namespace}/values/${KEY}`],
      ['DELETE', `${namespaces}/${namespace}`],
    ] as const)
      assert.equal((await api(method, path, method === 'PUT' ? new FormData() : undefined)).status, 404, path);
  });

  it('reaches none of its Workers through a service binding, whatever it is called', async () => {
    await platform.control(`/accounts/${MALLORY}/workers/scripts/shop?force=true`, { method: 'DELETE' });
    const account = platform.account;
    for (const service of [
      'shop',
      `${account}/shop`,
      `shop.${account}`,
      `../${account}/shop`,
      `${account}:shop`,
      version,
    ]) {
      for (const entrypoint of [undefined, 'Inner']) {
        const code = `export default { async fetch() {
          try { return new Response('got ' + (await (await env.SHOP.fetch('http://shop/')).text())); } catch (error) { return new Response('refused'); } } };`;
        const binding = { type: 'service', name: 'SHOP', service, ...(entrypoint !== undefined && { entrypoint }) };
        const form = toUploadForm(code.replace('fetch()', 'fetch(request, env)'), [binding]);
        // oxlint-disable-next-line no-await-in-loop -- the same Worker, again and again
        const { status, text } = await api('PUT', `/accounts/${MALLORY}/workers/scripts/thief`, form);
        assert.ok(!text.includes(CANARY));
        if (status !== 200) continue;
        // oxlint-disable-next-line no-await-in-loop
        const answer = await platform.request('thief', '/', { account: MALLORY });
        assert.doesNotMatch(answer.text, new RegExp(CANARY), service);
      }
    }
  });

  it('has none of its variables and secrets, by inheriting or by what was left in the cell', async () => {
    const text = await run('return Response.json([env, Object.keys(globalThis), globalThis.kept, globalThis.env]);');
    assert.ok(!text.includes(CANARY) && !text.includes('kept'), text);
    for (const name of ['SECRET', 'TEXT', 'KV']) {
      const form = toUploadForm('export default { fetch() {} }', [{ type: 'inherit', name }]);
      // oxlint-disable-next-line no-await-in-loop -- three
      assert.ok((await api('PUT', `/accounts/${MALLORY}/workers/scripts/shop`, form)).status >= 400);
    }
  });

  it('answers at no preview URL, and with none of the files, under its own name', async () => {
    const preview = await platform.request(`${alias}-shop`, '/');
    assert.equal(preview.status, 200, preview.text); // the victim's own works
    for (const [worker, path] of [
      [`${alias}-shop`, '/'],
      [`${version}-shop`, '/'],
      [`${alias}-thief`, '/'],
      ['assets', '/'],
      ['assets', '/about.html'],
      ['shop', '/css/site.css'],
      ['shop', `/../../${platform.account}/assets/index.html`],
      [`shop.${platform.account}`, '/'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, text } = await platform.request(worker, path, { account: MALLORY });
      assert.ok(!text.includes(CANARY) && !/<html|body \{/.test(text), `${worker} ${path}: ${status} ${text}`);
    }
    const overridden = await platform.request('shop', '/', {
      account: MALLORY,
      headers: { 'cloudflare-workers-version-overrides': `shop="${version}"`, 'x-isola-version-key': version },
    });
    assert.ok(!overridden.text.includes(CANARY), overridden.text);
  });

  it('cannot say that the victim’s files are its own', async () => {
    const account = platform.account;
    const manifest = { '/index.html': { hash: 'a'.repeat(32), size: 4 } };
    const session = (of: string, bearer: string) =>
      api('POST', `/accounts/${of}/workers/scripts/files/assets-upload-session`, { manifest }, bearer);
    assert.equal((await session(account, token)).status, 404);
    const { jwt = '' } = resultOf(await session(account, platform.token));
    // The victim's own upload token, at Mallory's address.
    const form = new FormData();
    form.append('a'.repeat(32), new File(['dGV4dA=='], 'a'.repeat(32), { type: 'text/html' }));
    assert.ok((await api('POST', `/accounts/${MALLORY}/workers/assets/upload?base64=true`, form, jwt)).status >= 400);
    const metadata = { main_module: 'index.js', compatibility_date: '2026-01-01', assets: { jwt } };
    const upload = toUploadForm('export default { fetch() {} }');
    upload.set('metadata', JSON.stringify(metadata));
    assert.ok((await api('PUT', `/accounts/${MALLORY}/workers/scripts/files`, upload)).status >= 400);
  });

  it('tails nothing, and hears nothing of the victim by a tail of its own', async () => {
    await run('console.log("of mallory"); return new Response("shop")');
    assert.equal((await api('POST', `/accounts/${platform.account}/workers/scripts/shop/tails`, {})).status, 404);
    const { url = '' } = resultOf(await api('POST', `/accounts/${MALLORY}/workers/scripts/shop/tails`, {}));
    const { id: theirs = '' } = resultOf(
      await api('POST', `/accounts/${platform.account}/workers/scripts/shop/tails`, {}, platform.token),
    );
    // An id is no token.
    for (const wrong of [url.replace(/[^/]+$/, theirs), url.replace(/[^/]+$/, ''), `${url}/../${theirs}`]) {
      const socket = new WebSocket(wrong, 'trace-v1');
      // oxlint-disable-next-line no-await-in-loop -- three
      const [error] = (await once(socket, 'error')) as [Error];
      assert.match(error.message, /404/);
    }
    assert.equal((await api('DELETE', `/accounts/${MALLORY}/workers/scripts/shop/tails/${theirs}`)).status, 404);

    const socket = new WebSocket(url, 'trace-v1');
    const heard: string[] = [];
    const message = new Promise<void>((resolve) =>
      socket.on('message', (data: Buffer) => {
        heard.push(data.toString());
        if (data.includes('of mallory')) resolve();
      }),
    );
    await once(socket, 'open');
    await platform.request('shop', '/fill'); // which logs the canary
    await platform.request('shop', '/', { account: MALLORY });
    await message;
    socket.terminate();
    assert.ok(
      heard.every((text) => !text.includes(CANARY)),
      heard.join('\n'),
    );
  });

  it('gets 404 for everything else that the control API has of the victim', async () => {
    const script = `/accounts/${platform.account}/workers/scripts/shop`;
    for (const [method, path, body] of [
      ['GET', script],
      ['GET', `${script}/content/v2`],
      ['GET', `${script}/settings`],
      ['GET', `${script}/secrets`],
      ['GET', `${script}/schedules`],
      ['GET', `${script}/versions/${version}`],
      ['GET', `${script}/deployments`],
      ['POST', `${script}/isola/scheduled`, { cron: '* * * * *' }],
      ['PUT', script, toUploadForm('export default { fetch: () => new Response("taken") }')],
      ['DELETE', `${script}?force=true`],
      ['PUT', `${script}/isola/limits`, { cpuMs: 1 }],
      [
        'POST',
        `/accounts/${MALLORY}/workers/scripts/shop/deployments`,
        { strategy: 'percentage', versions: [{ version_id: version, percentage: 100 }] },
      ],
      ['GET', `/accounts/${MALLORY}/workers/scripts/shop/versions/${version}`],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status, text } = await api(method, path, body);
      assert.ok([400, 403, 404].includes(status) && !text.includes(CANARY), `${method} ${path}: ${status} ${text}`);
      if (path.startsWith(script)) assert.equal(status, 404, `${method} ${path}: ${text}`);
    }
  });

  it('has left everything of the victim as it was', async () => {
    assert.deepEqual(JSON.parse(await victimState()), [CANARY, CANARY, CANARY, CANARY]);
  });
});
