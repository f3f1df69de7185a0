/** KV in the control API. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../../ids.ts';
import { MAX_KV_VALUE_BYTES } from '../../limits.ts';
import { type Answer, openTestControl, type TestControl, TOKEN } from '../testing.ts';

const PATH = '/storage/kv/namespaces';
const OTHER = 'other' as AccountId;

async function create(control: TestControl, title: string): Promise<string> {
  const { status, result } = await control.request('POST', PATH, { title });
  assert.equal(status, 200);
  return (result as { id: string }).id;
}

function codeOf({ status, errors }: Answer): [status: number, code: number | undefined] {
  return [status, errors[0]?.code];
}

describe('KV namespaces', () => {
  it('are made, listed by title, renamed and deleted', async () => {
    await using control = await openTestControl();
    const b = await create(control, 'b');
    const a = await create(control, ' a ');
    assert.match(a, /^[0-9a-f]{32}$/);
    const all = await control.request('GET', `${PATH}?per_page=1000&order=title&direction=asc`);
    const body = (id: string, title: string) => ({ id, title, supports_url_encoding: true });
    assert.deepEqual(all.result, [body(a, 'a'), body(b, 'b')]);
    const second = await control.request('GET', `${PATH}?per_page=1&page=2`);
    assert.deepEqual(second.result, [body(b, 'b')]);
    assert.deepEqual(second.result_info, { page: 2, per_page: 1, count: 1, total_count: 2 });
    assert.equal((await control.request('PUT', `${PATH}/${a}`, { title: 'c' })).result.title, 'c');
    assert.equal((await control.request('DELETE', `${PATH}/${b}`)).status, 200);
    assert.deepEqual((await control.request('GET', PATH)).result, [body(a, 'c')]);
    assert.deepEqual(codeOf(await control.request('GET', `${PATH}/${b}`)), [404, 10320]);
  });

  it('have titles of their own', async () => {
    await using control = await openTestControl();
    const a = await create(control, 'a');
    await create(control, 'b');
    assert.deepEqual(codeOf(await control.request('POST', PATH, { title: 'a' })), [400, 10014]);
    assert.deepEqual(codeOf(await control.request('PUT', `${PATH}/${a}`, { title: 'b' })), [400, 10014]);
    for (const title of ['', ' ', 'x'.repeat(513), 5, undefined]) {
      assert.deepEqual(codeOf(await control.request('POST', PATH, { title })), [400, 10001]);
    }
  });

  it('that a deployed Worker binds are deleted only when that is asked for', async () => {
    await using control = await openTestControl();
    const id = await create(control, 'a');
    const bindings = [{ type: 'kv_namespace', name: 'KV', namespace_id: id }];
    const metadata = { main_module: 'index.js', bindings };
    assert.equal((await control.upload('/workers/scripts/hello', { metadata })).status, 200);
    const refused = await control.request('DELETE', `${PATH}/${id}`);
    assert.deepEqual(codeOf(refused), [409, 10322]);
    assert.match(refused.errors[0]!.message, /hello/);
    const settings = await control.request('GET', '/workers/scripts/hello/settings');
    assert.deepEqual(settings.result.bindings, [{ name: 'KV', type: 'kv_namespace', namespace_id: id }]);
    assert.equal((await control.request('DELETE', `${PATH}/${id}?force=true`)).status, 200);
    const changed = { ...metadata, compatibility_date: '2026-01-02' };
    const again = await control.upload('/workers/scripts/hello', { metadata: changed });
    assert.deepEqual(codeOf(again), [404, 10320]);
  });

  it('that are gone keep a version that binds them from being deployed again, but not what serves', async () => {
    await using control = await openTestControl();
    const id = await create(control, 'a');
    const script = '/workers/scripts/hello';
    const metadata = { main_module: 'index.js', bindings: [{ type: 'kv_namespace', name: 'KV', namespace_id: id }] };
    const bound = (await control.upload(script, { metadata })).result.deployment_id as string;
    const modules = { 'index.js': 'export default { fetch() { return 2 } }' };
    const free = (await control.upload(script, { metadata: { main_module: 'index.js' }, modules })).result
      .deployment_id as string;
    assert.equal((await control.request('DELETE', `${PATH}/${id}`)).status, 200);
    const deploy = (...shares: readonly (readonly [string, number])[]) =>
      control.request('POST', `${script}/deployments`, {
        versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
      });
    assert.deepEqual(codeOf(await deploy([bound, 100])), [404, 10320]);
    assert.deepEqual(codeOf(await control.request('POST', `${script}/isola/rollback`, {})), [404, 10320]);
    assert.equal((await deploy([free, 100])).status, 200);

    const other = await create(control, 'b');
    const again = { ...metadata, bindings: [{ ...metadata.bindings[0], namespace_id: other }] };
    const serving = (await control.upload(script, { metadata: again })).result.deployment_id as string;
    assert.equal((await control.request('DELETE', `${PATH}/${other}?force=true`)).status, 200);
    assert.equal((await deploy([serving, 90], [free, 10])).status, 200, 'on the way to a version without it');
  });

  it('of one account are not there for another', async () => {
    await using control = await openTestControl();
    await control.registry.putAccount({ id: OTHER, name: 'Other', createdOn: new Date(0).toISOString() });
    const id = await create(control, 'a');
    await control.request('PUT', `${PATH}/${id}/values/k`, 'v');
    const of = `/client/v4/accounts/other${PATH}/${id}`;
    const attempts = [
      ['GET', of],
      ['PUT', of, { title: 'mine' }],
      ['DELETE', `${of}?force=true`],
      ['GET', `${of}/keys`],
      ['GET', `${of}/values/k`],
      ['GET', `${of}/metadata/k`],
      ['PUT', `${of}/values/k`, 'x'],
      ['DELETE', `${of}/values/k`],
      ['PUT', `${of}/bulk`, [{ key: 'k', value: 'x' }]],
      ['DELETE', `${of}/bulk`, ['k']],
      ['POST', `${of}/bulk/delete`, ['k']],
      ['POST', `${of}/bulk/get`, { keys: ['k'] }],
    ] as const;
    for (const [method, path, body] of attempts) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      assert.deepEqual(codeOf(await control.request(method, path, body)), [404, 10320], `${method} ${path}`);
    }
    const bindings = [{ type: 'kv_namespace', name: 'KV', namespace_id: id }];
    const upload = { metadata: { main_module: 'index.js', bindings } };
    const bound = await control.upload('/client/v4/accounts/other/workers/scripts/hello', upload);
    assert.deepEqual(codeOf(bound), [404, 10320]);
    assert.equal(await (await control.raw(`${PATH}/${id}/values/k`)).text(), 'v');
    assert.deepEqual((await control.request('GET', `/client/v4/accounts/other${PATH}`)).result, []);
  });
});

describe('KV entries', () => {
  const open = async () => {
    const control = await openTestControl();
    const id = await create(control, 'a');
    return { control, path: `${PATH}/${id}`, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
  };

  it('are put as they are, and got back as they are', async () => {
    await using opened = await open();
    const { control, path } = opened;
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const put = await control.app.inject({
      method: 'PUT',
      url: `/client/v4/accounts/main${path}/values/${encodeURIComponent('a/b ü%?')}?expiration_ttl=3600`,
      headers: { authorization: `Bearer ${TOKEN}` },
      payload: value,
    });
    assert.equal(put.statusCode, 200, put.body);
    const response = await control.raw(`${path}/values/a%2Fb%20%C3%BC%25%3F`);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), value);
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.ok(Number(response.headers.get('expiration')) > Date.now() / 1000 + 3000);
    assert.equal((await control.request('DELETE', `${path}/values/a%2Fb%20%C3%BC%25%3F`)).status, 200);
    assert.deepEqual(codeOf(await control.request('GET', `${path}/values/a%2Fb%20%C3%BC%25%3F`)), [404, 10009]);
  });

  it('come in a form with their metadata, whatever bytes they have', async () => {
    await using opened = await open();
    const { control, path } = opened;
    const form = (value: string | File, metadata: string): FormData => {
      const data = new FormData();
      data.set('value', value);
      data.set('metadata', metadata);
      return data;
    };
    const bytes = new Uint8Array([0, 255, 128, 13, 10]);
    assert.equal((await control.form('PUT', `${path}/values/text`, form('é', '{"a": "ü"}'))).status, 200);
    const file = new File([bytes], 'value');
    assert.equal((await control.form('PUT', `${path}/values/file`, form(file, '1'))).status, 200);
    assert.equal(await (await control.raw(`${path}/values/text`)).text(), 'é');
    assert.deepEqual(new Uint8Array(await (await control.raw(`${path}/values/file`)).arrayBuffer()), bytes);
    assert.deepEqual((await control.request('GET', `${path}/metadata/text`)).result, { a: 'ü' });
    const bad = await control.form('PUT', `${path}/values/text`, form('x', '{'));
    assert.deepEqual(codeOf(bad), [400, 10001]);
    const long = await control.form('PUT', `${path}/values/text`, form('x', JSON.stringify('m'.repeat(1023))));
    assert.deepEqual(codeOf(long), [413, 10321]);
    assert.equal(await (await control.raw(`${path}/values/text`)).text(), 'é');
  });

  it('are listed by prefix, a page at a time', async () => {
    await using opened = await open();
    const { control, path } = opened;
    const entries = ['a:1', 'a:2', 'a:3', 'b'].map((key) => ({ key, value: key, metadata: { key } }));
    const put = await control.request('PUT', `${path}/bulk`, entries);
    assert.deepEqual(put.result, { successful_key_count: 4, unsuccessful_keys: [] });
    const first = await control.request('GET', `${path}/keys?prefix=a:&limit=2`);
    assert.deepEqual(
      first.result,
      ['a:1', 'a:2'].map((name) => ({ name, metadata: { key: name } })),
    );
    const { cursor } = first.result_info as { cursor: string };
    const second = await control.request('GET', `${path}/keys?prefix=a:&limit=2&cursor=${cursor}`);
    assert.deepEqual(
      second.result.map(({ name }: { name: string }) => name),
      ['a:3'],
    );
    assert.deepEqual(second.result_info, { count: 1, cursor: '' });
    assert.deepEqual(codeOf(await control.request('GET', `${path}/keys?cursor=!`)), [400, 10001]);
    assert.deepEqual(codeOf(await control.request('GET', `${path}/keys?limit=1001`)), [400, 10001]);
  });

  it('are put, got and deleted in bulk, all or none', async () => {
    await using opened = await open();
    const { control, path } = opened;
    const base64 = Buffer.from([0, 255]).toString('base64');
    await control.request('PUT', `${path}/bulk`, [
      { key: 'a', value: base64, base64: true, expiration_ttl: 60 },
      { key: 'b', value: '{"n":1}', metadata: null },
    ]);
    assert.deepEqual(
      new Uint8Array(await (await control.raw(`${path}/values/a`)).arrayBuffer()),
      new Uint8Array([0, 255]),
    );
    const got = await control.request('POST', `${path}/bulk/get`, { keys: ['b', 'absent', '__proto__'] });
    assert.deepEqual(Object.entries(got.result.values), [
      ['b', '{"n":1}'],
      ['absent', null],
      ['__proto__', null],
    ]);
    const parsed = await control.request('POST', `${path}/bulk/get`, { keys: ['b'], type: 'json', withMetadata: true });
    assert.deepEqual(parsed.result.values, { b: { value: { n: 1 }, metadata: null } });
    const refused = await control.request('PUT', `${path}/bulk`, [
      { key: 'c', value: 'c' },
      { key: 'd', value: 'd', expiration_ttl: 5 },
    ]);
    assert.deepEqual(codeOf(refused), [400, 10001]);
    assert.match(refused.errors[0]!.message, /"d".*60/);
    assert.deepEqual(codeOf(await control.request('GET', `${path}/values/c`)), [404, 10009]);
    assert.equal((await control.request('DELETE', `${path}/bulk`, ['a', 'absent'])).result.successful_key_count, 2);
    assert.equal((await control.request('POST', `${path}/bulk/delete`, ['b'])).status, 200);
    assert.deepEqual((await control.request('GET', `${path}/keys`)).result, []);
  });

  it('are refused beyond their limits', async () => {
    await using opened = await open();
    const { control, path } = opened;
    const put = (key: string, payload: string | Buffer, query = '') =>
      control.request('PUT', `${path}/values/${key}${query}`, payload.toString('latin1'));
    assert.equal((await put('k'.repeat(512), 'v')).status, 200);
    assert.deepEqual(codeOf(await put('k'.repeat(513), 'v')), [413, 10321]);
    assert.deepEqual(codeOf(await put('%2E', 'v')), [400, 10001]);
    assert.deepEqual(codeOf(await put('k', 'v', '?expiration_ttl=59')), [400, 10001]);
    assert.deepEqual(codeOf(await put('k', 'v', '?expiration=soon')), [400, 10001]);
    assert.deepEqual(codeOf(await put('k', Buffer.alloc(MAX_KV_VALUE_BYTES + 1))), [413, 10321]);
    assert.equal((await put('k', Buffer.alloc(MAX_KV_VALUE_BYTES))).status, 200);
  });
});
