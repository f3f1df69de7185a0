import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { awaitUsage, readUsage } from '../helpers/usage.ts';

const CLIENTS = 8;
const KILLS = 4;
const SAMPLE_MS = 20;
const LOST_MS = 1_000;

describe('Usage', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await deployCode(platform, 'hello', 'export default { fetch: () => new Response("hello") }');
  });
  after(() => platform.stop());

  it('of a cell that is killed lacks what was used in its last second, and nothing is there twice', async (context) => {
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hello.main.localhost', clients: CLIENTS });
    const answered = () => load.result.statuses.get(200) ?? 0;
    const history: { at: number; answered: number }[] = [];
    const sampling = setInterval(() => history.push({ at: performance.now(), answered: answered() }), SAMPLE_MS);
    let mayLack = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // oxlint-disable no-await-in-loop -- one kill after the other
      await load.answered(300);
      await setTimeout(1_000 + Math.random() * 1_000); // where between two batches it comes is left to chance
      const killedAt = performance.now();
      process.kill(lastCellPid(platform), 'SIGKILL');
      const before = history.findLast(({ at }) => at < killedAt - LOST_MS)?.answered ?? 0;
      mayLack += answered() - before + CLIENTS;
      await platform.line(/"event":"cell-ready"/);
      // oxlint-enable no-await-in-loop
    }
    await load.answered(100);
    const { statuses } = await load.stop();
    clearInterval(sampling);
    const served = statuses.get(200) ?? 0;
    let last = -1;
    const { requests } = await awaitUsage(platform, 'hello', (usage) => {
      const isStill = usage.requests === last;
      last = usage.requests;
      return isStill && usage.requests >= served - mayLack;
    });
    context.diagnostic(
      `${KILLS} kills: ${served} answers, ${requests} in the ledger, ${served - requests} lost; ${mayLack} were given in the last seconds`,
    );
    assert.ok(requests >= served - mayLack, `${served - requests} of ${served} are lost, ${mayLack} may be`);
    // Those whose answer the kill cut off may have been counted.
    assert.ok(requests <= served + (statuses.get(502) ?? 0), `${requests} counted of ${served}`);
  });

  it('that was acknowledged is there after the platform was killed, once', async (context) => {
    await platform.restart('SIGTERM'); // whatever is on its way from before has arrived then
    let before = (await readUsage(platform, 'hello')).requests;
    let lost = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // oxlint-disable no-await-in-loop -- one kill after the other
      const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hello.main.localhost', clients: CLIENTS });
      await load.answered(200);
      await setTimeout(Math.random() * 800);
      const { requests: acknowledged } = await readUsage(platform, 'hello');
      const restarted = platform.restart('SIGKILL');
      const { statuses } = await load.stop();
      await restarted;
      const { requests } = await readUsage(platform, 'hello');
      const most = before + (statuses.get(200) ?? 0) + CLIENTS;
      assert.ok(requests >= acknowledged, `${requests} after ${acknowledged} were acknowledged`);
      assert.ok(requests <= most, `${requests} counted, at most ${most} were made`);
      lost += most - CLIENTS - requests;
      before = requests;
      // oxlint-enable no-await-in-loop
    }
    context.diagnostic(`${KILLS} kills: ${lost} answers whose batch was not acknowledged yet`);
  });
});

function lastCellPid({ output }: TestPlatform): number {
  const line = output.findLast((text) => text.includes('"event":"cell-ready"')) ?? '{}';
  return (JSON.parse(line) as { pid: number }).pid;
}
