import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { type AssetConfig, parseManifest } from '../../assets/index.ts';
import type { AccountId, Sha256, VersionId } from '../../ids.ts';
import { MAX_ASSET_BYTES, MAX_ASSETS } from '../../limits.ts';
import { type Answer, openTestControl, type TestControl, TOKEN } from '../testing.ts';

const HOUR = 3_600_000;
const ACME = 'acme' as AccountId;
const SESSION = '/workers/scripts/site/assets-upload-session';

/** Stands for what wrangler makes of content and extension; nobody checks it. */
const claim = (text: string): string => hash('sha256', text, 'hex').slice(0, 32);
const toManifest = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, { hash: claim(text), size: text.length }]));

interface Sent extends Answer {
  readonly body: string;
}

async function openAssets(overrides: Parameters<typeof openTestControl>[0] = {}) {
  const control = await openTestControl(overrides);
  await control.registry.putAccount({ id: ACME, name: 'Acme', createdOn: new Date(0).toISOString() });
  const begin = async (files: Readonly<Record<string, string>>, account = 'main', worker = 'site') =>
    control.request('POST', `/client/v4/accounts/${account}/workers/scripts/${worker}/assets-upload-session`, {
      manifest: toManifest(files),
    });
  const send = async (
    jwt: string,
    parts: readonly { hash: string; text: string; type?: string }[],
    { account = 'main', query = '?base64=true' } = {},
  ): Promise<Sent> => {
    const form = new FormData();
    for (const { hash, text, type = 'text/css' } of parts) {
      form.append(hash, new File([Buffer.from(text).toString('base64')], hash, { type }), hash);
    }
    const encoded = new Response(form);
    const response = await control.app.inject({
      method: 'POST',
      url: `/client/v4/accounts/${account}/workers/assets/upload${query}`,
      headers: { authorization: `Bearer ${jwt}`, 'content-type': encoded.headers.get('content-type')! },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
    return { status: response.statusCode, ...response.json<Omit<Answer, 'status'>>(), body: response.body };
  };
  /** Brings the files and gives the token for the version. */
  const uploadFiles = async (files: Readonly<Record<string, string>>, account = 'main'): Promise<string> => {
    const { result } = await begin(files, account);
    const byClaim = new Map(Object.values(files).map((text) => [claim(text), text]));
    let { jwt } = result;
    for (const bucket of result.buckets as string[][]) {
      const sent = await send(
        result.jwt,
        bucket.map((hash) => ({ hash, text: byClaim.get(hash) ?? '' })),
        { account },
      );
      jwt = sent.result.jwt ?? jwt;
    }
    return jwt;
  };
  return { control, begin, send, uploadFiles, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
}

const deploy = (control: TestControl, assets: unknown, more: object = {}, modules: object = {}) =>
  control.upload('/workers/scripts/site', {
    metadata: { compatibility_date: '2026-01-01', assets, ...more },
    modules: modules as Record<string, string>,
  });

async function servedManifest({ registry, blobs }: TestControl, id: VersionId) {
  const assets = (await registry.versionById(id))?.spec.assets;
  const bytes = assets && (await blobs.get(assets.manifest));
  return { assets, manifest: bytes && parseManifest(bytes) };
}

describe('An upload of static assets', () => {
  it('asks for what is missing, once, and makes a version of nothing else', async () => {
    await using api = await openAssets();
    const files = { '/index.html': 'home', '/a.css': 'same', '/b.css': 'same' };
    const begun = await api.begin(files);
    assert.equal(begun.status, 200);
    assert.deepEqual(begun.result.buckets.flat().toSorted(), [claim('home'), claim('same')].toSorted());

    const first = await api.send(begun.result.jwt, [{ hash: claim('home'), text: 'home', type: 'text/html' }]);
    assert.equal(first.status, 202);
    assert.deepEqual(first.result, {});
    // Sent again, as wrangler does when an answer got lost.
    assert.equal((await api.send(begun.result.jwt, [{ hash: claim('home'), text: 'home' }])).status, 202);
    const last = await api.send(begun.result.jwt, [{ hash: claim('same'), text: 'same', type: 'application/null' }]);
    assert.equal(last.status, 201);

    const deployed = await deploy(api.control, { jwt: last.result.jwt, config: { _headers: '/*\n  x-a: 1' } });
    assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
    assert.deepEqual(api.control.platform.checked, []);
    const id = deployed.result.deployment_id as VersionId;
    const { assets, manifest } = await servedManifest(api.control, id);
    assert.deepEqual(manifest?.files, {
      '/a.css': [hash('sha256', 'same', 'hex'), 4, null],
      '/b.css': [hash('sha256', 'same', 'hex'), 4, null],
      '/index.html': [hash('sha256', 'home', 'hex'), 4, 'text/css; charset=utf-8'],
    });
    assert.deepEqual(manifest?.config.headers, [{ path: '/*', set: [['x-a', '1']], unset: [] }]);
    assert.equal(assets?.only, true);
    assert.deepEqual(api.control.platform.published[0]?.shares, [{ version: id, percentage: 100, assets }]);

    const again = await api.begin({ ...files, '/new.css': 'new' });
    assert.deepEqual(again.result.buckets, [[claim('new')]]);
    assert.deepEqual((await api.begin(files)).result.buckets, []);
  });

  it('goes with code, with a binding and with what says how they are served', async () => {
    await using api = await openAssets();
    const jwt = await api.uploadFiles({ '/index.html': 'home' });
    const config = {
      html_handling: 'none',
      not_found_handling: 'single-page-application',
      run_worker_first: ['/api/*', '!/api/docs'],
      _redirects: '/a /b 301\nnonsense',
    };
    const code = { main_module: 'index.js', bindings: [{ name: 'ASSETS', type: 'assets' }] };
    const deployed = await deploy(api.control, { jwt, config }, code, { 'index.js': 'export default {}' });
    const id = deployed.result.deployment_id as VersionId;
    const { assets, manifest } = await servedManifest(api.control, id);
    assert.equal(assets?.only, undefined);
    assert.deepEqual(manifest?.config, {
      htmlHandling: 'none',
      notFoundHandling: 'single-page-application',
      workerFirst: { worker: ['/api/*'], files: ['/api/docs'] },
      navigationPrefersFiles: true,
      basePath: '/',
      redirects: [{ from: '/a', to: '/b', status: 301 }],
      headers: [],
    } satisfies AssetConfig);
    const binding = { name: 'ASSETS', type: 'assets' };
    assert.deepEqual((await api.control.request('GET', '/workers/scripts/site/settings')).result.bindings, [binding]);
    const { result } = await api.control.request('GET', `/workers/scripts/site/versions/${id}`);
    assert.deepEqual(result.resources.bindings, [binding]);
  });

  it('is kept by a version that says so, and by no other', async () => {
    await using api = await openAssets();
    const jwt = await api.uploadFiles({ '/index.html': 'home' });
    await deploy(api.control, { jwt, config: { not_found_handling: '404-page' } });
    const code = { main_module: 'index.js', compatibility_date: '2024-01-01' };
    const modules = { 'index.js': 'export default {}' };
    const kept = await deploy(api.control, undefined, { ...code, keep_assets: true }, modules);
    const { manifest, assets } = await servedManifest(api.control, kept.result.deployment_id as VersionId);
    assert.deepEqual(Object.keys(manifest?.files ?? {}), ['/index.html']);
    assert.equal(manifest?.config.notFoundHandling, '404-page');
    assert.equal(manifest?.config.navigationPrefersFiles, false);
    assert.equal(assets?.only, undefined);
    const without = await deploy(api.control, undefined, code, modules);
    const id = without.result.deployment_id as VersionId;
    assert.equal((await api.control.registry.versionById(id))?.spec.assets, undefined);
  });

  it('refuses what does not fit, and then changes nothing', async () => {
    await using api = await openAssets();
    const { result } = await api.begin({ '/a.css': 'aaa' });
    const cases = [
      [{ hash: claim('other'), text: 'other' }],
      [{ hash: claim('aaa'), text: 'aaaa' }],
      [{ hash: claim('aaa'), text: '' }],
      [{ hash: '../../x', text: 'aaa' }],
    ];
    for (const parts of cases) {
      const answer = await api.send(result.jwt, parts);
      assert.equal(answer.status, 400, JSON.stringify(parts));
      assert.equal(answer.errors[0]?.code, 10330);
    }
    assert.equal((await api.send(result.jwt, [], { query: '' })).status, 400);
    assert.deepEqual((await api.begin({ '/a.css': 'aaa' })).result.buckets, [[claim('aaa')]]);
    const incomplete = await deploy(api.control, { jwt: result.jwt, config: {} });
    assert.equal(incomplete.errors[0]?.code, 10331);
    assert.equal((await deploy(api.control, { config: {} })).errors[0]?.code, 10021);
    assert.equal((await deploy(api.control, undefined, { keep_assets: true })).errors[0]?.code, 10021);
  });

  it('refuses manifests that are none', async () => {
    await using api = await openAssets();
    const file = { hash: claim('x'), size: 1 };
    const manifests: unknown[] = [
      undefined,
      [],
      { 'no-slash': file },
      { '/../etc/passwd': file },
      { '/a/./b': file },
      { '//a': file },
      { '/a\n': file },
      { '/': file },
      { [`/${'x'.repeat(1_024)}`]: file },
      { '/a': { hash: 'xyz', size: 1 } },
      { '/a': { hash: claim('x').toUpperCase(), size: 1 } },
      { '/a': { hash: claim('x'), size: -1 } },
      { '/a': { hash: claim('x'), size: MAX_ASSET_BYTES + 1 } },
      { '/a': file, '/b': { ...file, size: 2 } },
      Object.fromEntries(Array.from({ length: MAX_ASSETS + 1 }, (_, i) => [`/${i}`, file])),
    ];
    for (const manifest of manifests) {
      const answer = await api.control.request('POST', SESSION, { manifest });
      assert.equal(answer.status, 400, JSON.stringify(manifest)?.slice(0, 100));
    }
    const most = Object.fromEntries(Array.from({ length: MAX_ASSETS }, (_, i) => [`/${i}`, file]));
    assert.equal((await api.control.request('POST', SESSION, { manifest: most })).status, 200);
  });

  it('takes so many bytes of one file', async () => {
    await using api = await openAssets();
    const bytes = 'x'.repeat(MAX_ASSET_BYTES);
    const { result } = await api.begin({ '/large': bytes });
    assert.equal((await api.send(result.jwt, [{ hash: claim(bytes), text: `${bytes}y` }])).errors[0]?.code, 10332);
    assert.equal((await api.send(result.jwt, [{ hash: claim(bytes), text: bytes }])).status, 201);
  });

  it('is told to come back when it sends too much at once', async () => {
    await using api = await openAssets();
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`/${i}`, `${i}`]));
    const { result } = await api.begin(files);
    const answers = await Promise.all(
      Object.values(files).map((text) => api.send(result.jwt, [{ hash: claim(text), text }])),
    );
    const refused = answers.filter(({ status }) => status === 503);
    assert.ok(refused.length <= 2, `${refused.length}`);
    const left = (await api.begin(files)).result;
    for (const hash of left.buckets.flat()) {
      const text = Object.values(files).find((content) => claim(content) === hash) ?? '';
      assert.ok((await api.send(left.jwt, [{ hash, text }])).status < 300);
    }
    assert.deepEqual((await api.begin(files)).result.buckets, []);
  });

  it('has tokens that are good for an hour, one purpose, one Worker, one account', async () => {
    let now = Date.now();
    await using api = await openAssets({ now: () => now });
    const { result } = await api.begin({ '/a.css': 'aaa' });
    const part = [{ hash: claim('aaa'), text: 'aaa' }];
    assert.equal((await api.send(result.jwt, part, { account: 'acme' })).status, 404);
    assert.equal((await api.send(result.jwt, part, { account: 'nobody' })).status, 404);
    const [header = '', payload = '', mac = ''] = (result.jwt as string).split('.');
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('"main"', '"acme"')).toString(
      'base64url',
    );
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    for (const token of [
      TOKEN,
      `${header}.${forged}.${mac}`,
      `${none}.${payload}.`,
      `${header}.${payload}.`,
      `${header}.${payload}.${mac.slice(0, -2)}`,
      `${header}.${payload}.${mac}.${mac}`,
    ]) {
      const answer = await api.send(token, part, { account: token.includes(forged) ? 'acme' : 'main' });
      assert.equal(answer.status, 401, token);
    }
    // It is no token of the API.
    const headers = { authorization: `Bearer ${result.jwt}` };
    assert.equal((await api.control.app.inject({ url: '/client/v4/accounts', headers })).statusCode, 401);

    const { result: complete } = await api.send(result.jwt, part);
    assert.equal((await api.send(complete.jwt, part)).status, 401);
    const assets = { jwt: complete.jwt, config: {} };
    const other = await api.control.upload('/workers/scripts/other', { metadata: { assets }, modules: {} });
    assert.equal(other.errors[0]?.code, 10331);
    const account = await api.control.upload('/client/v4/accounts/acme/workers/scripts/site', {
      metadata: { assets },
      modules: {},
    });
    assert.equal(account.errors[0]?.code, 10331);
    now += HOUR;
    assert.equal((await api.send(result.jwt, part)).status, 401);
    assert.equal((await deploy(api.control, assets)).errors[0]?.code, 10331);
    // What has come is there.
    assert.deepEqual((await api.begin({ '/a.css': 'aaa' })).result.buckets, []);
  });

  it('gives one account nothing of another, whatever hash it names', async () => {
    await using api = await openAssets();
    await api.uploadFiles({ '/secret.css': 'secret' });
    // Another account that knows the hash is asked for the content, and learns nothing from being asked.
    const begun = await api.begin({ '/stolen.css': 'secret' }, 'acme');
    assert.deepEqual(begun.result.buckets, [[claim('secret')]]);
    // It may say that other content has this hash: then that is so for this account alone.
    const sent = await api.send(begun.result.jwt, [{ hash: claim('secret'), text: 'poison' }], { account: 'acme' });
    assert.equal(sent.status, 201);
    const poisoned = await api.control.upload('/client/v4/accounts/acme/workers/scripts/site', {
      metadata: { assets: { jwt: sent.result.jwt, config: {} } },
      modules: {},
    });
    const shaOf = async (id: VersionId): Promise<Sha256 | undefined> =>
      Object.values((await servedManifest(api.control, id)).manifest?.files ?? {})[0]?.[0];
    assert.equal(await shaOf(poisoned.result.deployment_id), hash('sha256', 'poison', 'hex'));
    const own = await deploy(api.control, { jwt: await api.uploadFiles({ '/secret.css': 'secret' }), config: {} });
    assert.equal(await shaOf(own.result.deployment_id), hash('sha256', 'secret', 'hex'));
  });
});
