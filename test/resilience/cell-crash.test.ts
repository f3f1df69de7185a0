import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const CLIENTS = 64;

describe('A cell that dies', () => {
  let platform: TestPlatform;
  let cellPid: number;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    cellPid = pidOf(platform.output.find((line) => line.includes('"event":"cell-ready"')) ?? '{}');
    await deployCode(platform, 'hello', 'export default { fetch: () => new Response("hello") }');
    await deployCode(
      platform,
      'stuck',
      'export default { fetch(request) { if (request.url.endsWith("/stuck")) [].indexOf.call({ length: 2 ** 53 - 1 }, 7); return new Response("fine") } }',
    );
  });
  after(() => platform.stop());

  it('costs the requests in flight a 502, never a reset, and is replaced with its tenants', async (context) => {
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hello.main.localhost', clients: CLIENTS });
    await load.answered(500);
    const replaced = platform.line(new RegExp(`"event":"cell-ready".*"pid":(?!${cellPid}\\b)`));
    const killedAt = performance.now();
    process.kill(cellPid, 'SIGKILL');
    await load.answered(1);
    // Held requests answer in bulk once the new cell serves: well past the first one, it is back.
    await load.answered(CLIENTS);
    context.diagnostic(`serving again ${Math.round(performance.now() - killedAt)} ms after the kill`);
    cellPid = pidOf(await replaced);
    await load.answered(500);
    const { statuses, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.deepEqual(new Set(statuses.keys()), new Set(statuses.has(502) ? [200, 502] : [200]));
    assert.ok((statuses.get(502) ?? 0) <= CLIENTS);
    context.diagnostic(`${statuses.get(502) ?? 0} of ${CLIENTS} clients saw a 502`);
  });

  it('is one that stands still in a built-in nobody can interrupt: it ends itself and comes back', async () => {
    const replaced = platform.line(new RegExp(`"event":"cell-ready".*"pid":(?!${cellPid}\\b)`));
    const response = await platform.request('stuck', '/stuck');
    assert.equal(response.status, 502);
    cellPid = pidOf(await replaced);
    assert.equal((await platform.request('stuck', '/')).text, 'fine');
    assert.equal((await platform.request('hello', '/')).text, 'hello');
  });
});

function pidOf(line: string): number {
  return (JSON.parse(line) as { pid: number }).pid;
}
