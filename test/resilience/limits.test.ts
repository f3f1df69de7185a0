import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Burns CPU until it is stopped, and tells how often it came by.
const SPIN = 'export default { fetch() { let n = 0; for (;;) n++; } }';

describe('Limits', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform();
    await deployCode(platform, 'spin', SPIN);
  });
  after(() => platform.stop());

  const spin = async (): Promise<number> => {
    const recorded = platform.line(/"event":"invocation".*"worker":"spin"|"worker":"spin".*"event":"invocation"/);
    assert.equal((await platform.request('spin', '/')).status, 503);
    return (JSON.parse(await recorded) as { cpuUs: number }).cpuUs;
  };
  const setLimits = async (path: string, cpuMs: number): Promise<void> => {
    const body = JSON.stringify({ cpuMs });
    const response = await platform.control(`/accounts/${platform.account}/${path}`, { method: 'PUT', body });
    assert.equal(response.status, 200, await response.text());
  };

  it('of an account and of a Worker hold from the next request on; the Worker’s is the stronger', async () => {
    assert.ok((await spin()) >= 45_000);
    await setLimits('isola/limits', 10);
    const afterAccount = await spin();
    assert.ok(afterAccount >= 9_000 && afterAccount < 40_000, `${afterAccount} µs`);
    await setLimits('workers/scripts/spin/isola/limits', 100);
    const afterWorker = await spin();
    assert.ok(afterWorker >= 90_000, `${afterWorker} µs`);
  });
});
