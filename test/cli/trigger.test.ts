import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

describe('isola trigger', () => {
  it('prints outcome and logs, escaped; exits with 1 unless it went well', async () => {
    await using platform = await startTestPlatform(['--cells', '1']);
    const code = `export default { scheduled({ cron }) { console.log('ran \\u001b[31m', cron); if (cron === 'bad') throw new Error('no'); } }`;
    await deployCode(platform, 'job', code);
    const run = async (...args: string[]) => {
      const isola = spawnIsola(['trigger', ...args, '--url', platform.controlUrl], {
        ISOLA_ADMIN_TOKEN: platform.token,
      });
      const { code: exitCode } = await isola.exited;
      return { exitCode, output: [...isola.stdout, ...isola.stderr].join('\n') };
    };
    const good = await run('job', '--cron', '* * * * *');
    assert.equal(good.exitCode, 0, good.output);
    assert.match(good.output, /ran .*\* \* \* \* \*\nok \(CPU/);
    assert.ok(!good.output.includes('\u001b'));
    const bad = await run('job', '--cron', 'bad');
    assert.equal(bad.exitCode, 1);
    assert.match(bad.output, /exception[\s\S]*Error: no/);
    const none = await run('nobody');
    assert.equal(none.exitCode, 1);
    assert.match(none.output, /Cannot trigger 'nobody'.*no Worker/);
    assert.equal((await run('job', '--time', 'yesterday')).exitCode, 2);
  });
});
