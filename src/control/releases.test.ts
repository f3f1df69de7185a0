import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlatformError } from '../errors.ts';
import type { VersionId } from '../ids.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { HELLO, MAIN, openTestControl, servingVersion, type TestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';
const WRANGLER = { 'user-agent': 'wrangler/4.164.0' };

describe('PUT script', () => {
  it('checks, stores, deploys and publishes before it answers', async () => {
    await using control = await openTestControl();
    const { status, result } = await control.upload(SCRIPT, {
      metadata: {
        main_module: 'index.js',
        compatibility_date: '2026-01-01',
        compatibility_flags: ['nodejs_compat'],
        bindings: [{ name: 'A', type: 'plain_text', text: 'a' }],
        annotations: { 'workers/tag': 'v1', 'workers/message': 'first' },
        limits: { cpu_ms: 20 },
      },
    });
    assert.equal(status, 200);
    const [code] = control.platform.checked;
    const id = result.deployment_id as VersionId;
    assert.deepEqual(code?.spec, {
      id,
      account: MAIN,
      worker: HELLO,
      tag: 'v1',
      createdOn: result.created_on,
      mainModule: 'index.js',
      bindings: [{ name: 'A', type: 'plain_text', text: 'a' }],
      compatibilityDate: '2026-01-01',
      compatibilityFlags: ['nodejs_compat'],
      limits: { ...DEFAULT_LIMITS, cpuMs: 20 },
    });
    const version = await control.registry.versionById(id);
    assert.deepEqual(version?.spec, code?.spec);
    assert.deepEqual([version?.startupMs, version?.handlers, version?.source], [7, ['fetch'], 'api']);
    const route = { account: MAIN, worker: HELLO, shares: [{ version: id, percentage: 100 }] };
    assert.deepEqual(control.platform.published, [route]);
    assert.deepEqual((await control.registry.route(MAIN, HELLO))?.route, route);
  });

  it('again makes a second version and serves it', async () => {
    await using control = await openTestControl();
    const first = await control.upload(SCRIPT, {});
    const second = await control.upload(SCRIPT, { modules: { 'index.js': 'export default { a: 1 }' } });
    assert.notEqual(first.result.etag, second.result.etag);
    assert.equal(await servingVersion(control), second.result.deployment_id);
    assert.equal((await control.registry.listVersions(MAIN, HELLO))[0]?.number, 2);
  });

  it('by wrangler stays hidden until wrangler asks for the default URL', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, { headers: WRANGLER });
    assert.equal(control.platform.published.at(-1)?.hidden, true);
    const { result } = await control.request('POST', `${SCRIPT}/subdomain`, { enabled: true });
    assert.deepEqual(result, { enabled: true, previews_enabled: false });
    assert.equal(control.platform.published.at(-1)?.hidden, undefined);
    await control.request('POST', `${SCRIPT}/subdomain`, { enabled: true });
    assert.equal(control.platform.published.length, 2);
  });

  it('keeps the version when publishing fails, and says so without telling why', async () => {
    await using control = await openTestControl();
    control.platform.publishError = new Error('secret detail');
    const { status, errors } = await control.upload(SCRIPT, {});
    assert.deepEqual([status, errors[0]?.code], [503, 10301]);
    assert.doesNotMatch(errors[0]!.message, /secret/);
    assert.match(control.logged.join(), /secret detail/);
    assert.notEqual(await servingVersion(control), undefined);
    control.platform.publishError = new PlatformError('overloaded', 'No cell has room');
    assert.equal((await control.upload(SCRIPT, {})).errors[0]?.message, 'No cell has room');
  });

  it('refuses bad names', async () => {
    await using control = await openTestControl();
    for (const name of ['Hello', 'a.b', '-a', 'a-', 'a'.repeat(64), 'a'.repeat(300), '%00', 'a%2fb']) {
      const { status, errors } = await control.upload(`/workers/scripts/${name}`, {});
      assert.equal(status, 400, name);
      assert.match(errors[0]!.message, /Bad Worker name/);
    }
    assert.equal((await control.upload(`/workers/scripts/${'a'.repeat(63)}`, {})).status, 200);
  });

  it('publishes concurrent deployments of a Worker in the order they were committed', async () => {
    await using control = await openTestControl();
    await Promise.all(Array.from({ length: 10 }, () => control.upload(SCRIPT, {})));
    assert.equal(control.platform.published.length, 10);
    assert.deepEqual(control.platform.published.at(-1), (await control.registry.route(MAIN, HELLO))?.route);
  });
});

describe('services', () => {
  it('are unknown with 10090 before the first deployment, and known after', async () => {
    await using control = await openTestControl();
    const before = await control.request('GET', '/workers/services/hello');
    assert.deepEqual([before.status, before.errors[0]?.code], [404, 10090]);
    await control.upload(SCRIPT, {});
    const { result } = await control.request('GET', '/workers/services/hello');
    assert.equal(result.default_environment.script.last_deployed_from, 'wrangler');
    assert.deepEqual(
      (await control.request('GET', '/workers/scripts')).result.map((s: { id: string }) => s.id),
      ['hello'],
    );
  });

  for (const path of ['/workers/services/hello?force=false', SCRIPT]) {
    it(`DELETE ${path} takes the Worker and its route away`, async () => {
      await using control = await openTestControl();
      await control.upload(SCRIPT, {});
      assert.equal((await control.request('DELETE', path)).status, 200);
      assert.deepEqual(control.platform.withdrawn, ['main/hello']);
      assert.equal(await control.registry.worker(MAIN, HELLO), undefined);
      assert.equal((await control.request('DELETE', path)).errors[0]?.code, 10007);
    });
  }
});

describe('versions', () => {
  it('are uploaded without serving, listed and shown', async () => {
    await using control = await openTestControl();
    const first = await control.upload(SCRIPT, {});
    const { status, result } = await control.upload(`${SCRIPT}/versions?bindings_inherit=strict`, {
      metadata: {
        main_module: 'index.js',
        compatibility_date: '2026-01-01',
        bindings: [
          { name: 'S', type: 'service', service: 'other' },
          { name: 'V', type: 'version_metadata' },
        ],
        annotations: { 'workers/tag': 't' },
      },
      headers: WRANGLER,
    });
    assert.equal(status, 200);
    assert.equal(await servingVersion(control), first.result.deployment_id);
    assert.deepEqual(
      [result.number, result.startup_time_ms, result.metadata.source, result.metadata.has_preview],
      [2, 7, 'wrangler', true],
    );
    assert.deepEqual(result.annotations, { 'workers/triggered_by': 'upload', 'workers/tag': 't' });
    assert.equal(result.resources.bindings[0].service, 'other');
    const shown = await control.request('GET', `${SCRIPT}/versions/${result.id.toUpperCase()}`);
    assert.deepEqual(shown.result, result);
    const { result: list } = await control.request('GET', `${SCRIPT}/versions?deployable=true`);
    assert.deepEqual(
      list.items.map((item: { number: number }) => item.number),
      [2, 1],
    );
  });

  it('of an unknown Worker are refused with 10007, unknown ones with 10100', async () => {
    await using control = await openTestControl();
    assert.equal((await control.upload(`${SCRIPT}/versions`, {})).errors[0]?.code, 10007);
    assert.equal((await control.request('GET', `${SCRIPT}/versions`)).errors[0]?.code, 10007);
    await control.upload(SCRIPT, {});
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '..%2f..']) {
      const { status, errors } = await control.request('GET', `${SCRIPT}/versions/${id}`);
      assert.deepEqual([status, errors[0]?.code], [404, 10100]);
    }
  });

  it('of another account cannot be seen, deployed or inherited from', async () => {
    await using control = await openTestControl();
    await control.request('PUT', '/client/v4/accounts/evil/isola/account');
    const { result } = await control.upload(SCRIPT, {});
    const evil = '/client/v4/accounts/evil/workers/scripts/hello';
    await control.upload(evil, {});
    assert.equal((await control.request('GET', `${evil}/versions/${result.deployment_id}`)).errors[0]?.code, 10100);
    const versions = [{ version_id: result.deployment_id, percentage: 100 }];
    assert.equal((await control.request('POST', `${evil}/deployments`, { versions })).errors[0]?.code, 10100);
  });
});

describe('deployments', () => {
  const upload = async (control: TestControl): Promise<string> =>
    (await control.upload(`${SCRIPT}/versions`, {})).result.id as string;

  it('split traffic, are published and listed newest first', async () => {
    await using control = await openTestControl();
    const { result: first } = await control.upload(SCRIPT, { headers: WRANGLER });
    const second = await upload(control);
    const versions = [
      { version_id: first.deployment_id, percentage: 25 },
      { version_id: second, percentage: 75 },
    ];
    const annotations = { 'workers/message': 'split' };
    const answer = await control.request('POST', `${SCRIPT}/deployments`, {
      strategy: 'percentage',
      versions,
      annotations,
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(control.platform.published.at(-1)?.shares, [
      { version: first.deployment_id, percentage: 25 },
      { version: second, percentage: 75 },
    ]);
    const { result } = await control.request('GET', `${SCRIPT}/deployments`);
    assert.deepEqual(result.deployments[0], answer.result);
    assert.deepEqual([result.deployments[0].versions, result.deployments[0].annotations], [versions, annotations]);
    assert.deepEqual([result.deployments.length, result.deployments[1].source], [2, 'wrangler']);
  });

  it('must add up, be of known versions and of a known Worker', async () => {
    await using control = await openTestControl();
    const { result } = await control.upload(SCRIPT, {});
    const post = async (versions: unknown, script = SCRIPT): Promise<unknown> => {
      const { status, errors } = await control.request('POST', `${script}/deployments`, { versions });
      return [status, errors[0]?.code];
    };
    const version_id = result.deployment_id as string;
    assert.deepEqual(await post([{ version_id, percentage: 50 }]), [400, 10001]);
    assert.deepEqual(
      await post([
        { version_id, percentage: -1 },
        { version_id, percentage: 101 },
      ]),
      [400, 10001],
    );
    assert.deepEqual(await post([{ version_id: 'x', percentage: 100 }]), [404, 10100]);
    assert.deepEqual(await post([{ version_id, percentage: 100 }], '/workers/scripts/none'), [404, 10007]);
    assert.equal(control.platform.published.length, 1);
  });
});
