import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform } from '../helpers/platform.ts';

/** What each data folder holds is in its README. */
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
});

// oxlint-disable-next-line typescript/no-explicit-any -- looked into by path
async function list(platform: { control(path: string): Promise<Response> }, path: string): Promise<any> {
  const response = await platform.control(path);
  assert.equal(response.status, 200, path);
  return ((await response.json()) as { result: unknown }).result;
}
