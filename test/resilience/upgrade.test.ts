import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform } from '../helpers/platform.ts';

/** What each holds: data-schema-1/README.md, and make-data.ts for the other. */
const FIXTURES = join(ROOT, 'test', 'fixtures');

describe('A data folder of an earlier version', () => {
  it('of the first schema opens: everything serves, is listed and can be changed, also at the second start', async () => {
    await using platform = await startTestPlatform([], { data: join(FIXTURES, 'data-schema-1') });
    const answers = new Set<string>();
    for (let client = 0; client < 40; client++) {
      const headers = { 'x-isola-version-key': String(client) };
      answers.add((await platform.request('hello', '/', { headers })).text);
    }
    assert.deepEqual([...answers].toSorted(), ['one fixture 1,2', 'two fixture']);
    assert.match((await platform.request('caller', '/')).text, /^(one|two) fixture/);
    assert.equal((await platform.request('hidden', '/')).status, 404);
    const shop = await platform.request('shop', '/', { account: 'acme' });
    assert.equal(shop.text, 'shop');

    const versions = await list(platform, '/accounts/main/workers/scripts/hello/versions');
    assert.equal(versions.items.length, 2);
    const { deployments } = await list(platform, '/accounts/main/workers/scripts/hello/deployments');
    assert.deepEqual(
      deployments[0].versions.map(({ percentage }: { percentage: number }) => percentage),
      [40, 60],
    );
    const accounts = await list(platform, '/accounts');
    assert.deepEqual(
      accounts.map(({ name }: { name: string }) => name),
      ['Acme Inc.', 'main'],
    );

    const rolledBack = await platform.control('/accounts/main/workers/scripts/hello/deployments', {
      method: 'POST',
      body: JSON.stringify({ versions: [{ version_id: versions.items[1].id, percentage: 100 }] }),
    });
    assert.equal(rolledBack.status, 200);
    await platform.restart('SIGKILL');
    assert.equal((await platform.request('hello', '/')).text, 'one fixture 1,2');
  });

  it('of `make-data.ts` opens with everything that is in it, and can be changed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-upgrade-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    execFileSync('tar', ['-xzf', join(FIXTURES, 'data.tar.gz'), '-C', folder]);
    const { token, revoked, namespace, versions } = JSON.parse(
      await readFile(join(folder, 'expected.json'), 'utf8'),
    ) as { token: string; revoked: string; namespace: string; versions: string[] };
    // The fixture gets older.
    await using platform = await startTestPlatform(['--keep-logs-days', '0'], { data: join(folder, 'data') });
    const audit = await list(platform, '/isola/audit?action=token');
    assert.deepEqual(
      audit.map(({ action, account, status }: Record<string, unknown>) => [action, account, status]),
      [
        ['token.revoke', 'acme', 200],
        ['token.create', 'acme', 200],
        ['token.create', 'acme', 200],
      ],
    );
    const app = (text: string) => ({ text, secret: `secret ${text}`, value: 'value' });
    for (const [host, path] of [
      ['app', '/'],
      ['www', '/'],
      ['api', '/v1/x'],
      [`${versions[1]?.slice(0, 8)}-app`, '/'],
    ] as const) {
      assert.deepEqual(JSON.parse((await platform.request(host, path)).text), app('two'), host);
    }
    assert.equal((await platform.request(`${versions[0]?.slice(0, 8)}-app`, '/')).text, JSON.stringify(app('one')));
    assert.match((await platform.request('assets', '/')).text, /<html/);
    assert.equal((await platform.request('app', '/', { account: 'closed' })).status, 403);

    const as = (bearer: string, path: string) =>
      fetch(`${platform.controlUrl}/client/v4${path}`, { headers: { authorization: `Bearer ${bearer}` } });
    assert.equal((await as(token, '/accounts/acme/workers/scripts')).status, 200);
    assert.equal((await as(revoked, '/accounts/acme/workers/scripts')).status, 401);
    const settings = await list(platform, '/accounts/acme/isola/settings');
    assert.deepEqual([settings.dailyRequests, settings.egressDeny], [1_000, ['*.example.com']]);
    const keys = await list(platform, `/accounts/main/storage/kv/namespaces/${namespace}/keys`);
    assert.deepEqual(keys, [{ name: 'key', metadata: { by: 'fixture' } }]);
    const { schedules } = await list(platform, '/accounts/main/workers/scripts/app/schedules');
    assert.equal(schedules[0].cron, '0 9 * * MON-FRI');
    const zones = await list(platform, '/accounts/main/isola/zones');
    assert.deepEqual([zones[0].name, zones[0].state], ['proven.example', 'proven']);
    assert.ok((await list(platform, '/accounts/main/isola/logs?text=kept')).length >= 5);
    const { rows } = await list(platform, '/accounts/main/isola/usage?by=month&since=2026-11-01T00:00:00Z&worker=app');
    assert.ok(rows.length > 0);

    // Old secrets are opened to make the next version, and to be sealed anew.
    const script = '/accounts/main/workers/scripts/app';
    const change = { method: 'PUT', body: JSON.stringify({ name: 'MORE', text: 'more' }) };
    assert.equal((await platform.control(`${script}/secrets`, change)).status, 200);
    const back = { method: 'POST', body: JSON.stringify({ version_id: versions[0], force: true }) };
    assert.equal((await platform.control(`${script}/isola/rollback`, back)).status, 200);
    await platform.restart('SIGKILL');
    assert.deepEqual(JSON.parse((await platform.request('app', '/')).text), app('one'));
  });
});

// oxlint-disable-next-line typescript/no-explicit-any -- looked into by path
async function list(platform: { control(path: string): Promise<Response> }, path: string): Promise<any> {
  const response = await platform.control(path);
  assert.equal(response.status, 200, path);
  return ((await response.json()) as { result: unknown }).result;
}
