import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorkerName } from '../ids.ts';
import { MAIN, openTestControl, servingVersion } from './testing.ts';

describe('isola/bulk', () => {
  it('deploys a Worker a line, over several batches, publishing them together', async () => {
    await using control = await openTestControl();
    const lines = Array.from({ length: 2_500 }, (_, i) => ({
      name: `w${i}`,
      code: 'export default {}',
      vars: { I: i, S: 's' },
    }));
    const body = `${lines.map((line) => JSON.stringify(line)).join('\r\n')}\n\n`;
    const { status, result } = await control.request('PUT', '/isola/bulk', body);
    assert.deepEqual([status, result], [200, { deployed: 2_500 }]);
    assert.equal(control.platform.published.length, 2_500);
    assert.deepEqual(control.platform.checked, []);
    const version = await control.registry.versionById((await servingVersion(control, 'w42' as WorkerName))!);
    assert.deepEqual(version?.spec.bindings, [
      { type: 'json', name: 'I', json: 42 },
      { type: 'plain_text', name: 'S', text: 's' },
    ]);
    const code = await control.blobs.get(version.modules[0]!.sha256);
    assert.equal(Buffer.from(code!).toString(), 'export default {}');
  });

  it('names the line that is wrong and says what is deployed', async () => {
    await using control = await openTestControl();
    const good = '{"name":"a","code":""}\n';
    for (const [line, message] of [
      ['{', /line 3: it is not JSON; 0 Workers are deployed/],
      ['{"name":"b"}', /line 3: code: /],
      ['{"name":"B","code":""}', /line 3: Bad Worker name "B"/],
      [`{"name":"${'x'.repeat(10 * 1024 * 1024)}`, /line 3: longer than 10485760 bytes/],
    ] as const) {
      const { status, errors } = await control.request('PUT', '/isola/bulk', `${good}\n${line}`);
      assert.equal(status, 400);
      assert.match(errors[0]!.message, message);
    }
    assert.equal((await control.registry.listWorkers(MAIN)).total, 0);
  });
});
