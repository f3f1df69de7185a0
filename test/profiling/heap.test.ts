/** Heap statistics of live instances, of a whole platform: the API and `isola heap`. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const MIB = 1024 * 1024;
const HOARDER = `const kept = [];
export default { fetch(request) {
  if (new URL(request.url).pathname === '/buffers') kept.push(new Uint8Array(8 * 1024 * 1024));
  else kept.push(Array.from({ length: 500_000 }, (_, i) => ({ i })));
  return new Response('kept');
} }`;

interface Heap {
  readonly cell: string;
  readonly version: string;
  readonly invocations: number;
  readonly used_heap_bytes: number;
  readonly heap_limit_bytes: number;
  readonly external_bytes: number;
}

describe('Heap statistics', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await deployCode(platform, 'hoarder', HOARDER, [], { cpu_ms: 5_000 });
    await deployCode(platform, 'other', 'export default { fetch: () => new Response("other") }');
  });
  after(() => platform.stop());

  const ask = async (worker: string, account = 'main'): Promise<{ status: number; result: Heap[] }> => {
    const response = await platform.control(`/accounts/${account}/workers/scripts/${worker}/isola/heap`);
    return { status: response.status, result: ((await response.json()) as { result: Heap[] }).result };
  };

  it('show what an instance keeps, and nothing of other Workers', async () => {
    const [empty] = (await ask('hoarder')).result;
    assert.ok(empty!.used_heap_bytes > 0 && empty!.heap_limit_bytes >= 128 * MIB);
    assert.equal(empty!.cell, 'c0');
    assert.match(empty!.version, /^[0-9a-f-]{36}$/);
    const [other] = (await ask('other')).result;
    assert.equal((await platform.request('hoarder', '/objects')).text, 'kept');
    assert.equal((await platform.request('hoarder', '/buffers')).text, 'kept');
    const { result } = await ask('hoarder');
    assert.equal(result.length, 1);
    assert.ok(result[0]!.used_heap_bytes - empty!.used_heap_bytes > 8 * MIB);
    assert.ok(result[0]!.external_bytes - empty!.external_bytes >= 8 * MIB);
    const [unchanged] = (await ask('other')).result;
    assert.ok(Math.abs(unchanged!.used_heap_bytes - other!.used_heap_bytes) < MIB);
  });

  it('are 404 of what is not there', async () => {
    assert.equal((await ask('nobody')).status, 404);
    assert.equal((await ask('hoarder', 'elsewhere')).status, 404);
  });

  it('are shown by isola heap', async () => {
    const child = spawnIsola(['heap', 'hoarder', '--url', platform.controlUrl], { ISOLA_ADMIN_TOKEN: platform.token });
    assert.equal((await child.exited).code, 0, child.stderr.join('\n'));
    assert.match(child.stdout.join('\n'), /^CELL +VERSION +RUNNING +USED .*\nc0 +[0-9a-f-]{36} +0 +\d+\.\d\d /);
  });
});
