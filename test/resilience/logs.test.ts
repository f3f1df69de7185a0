import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

describe('x-isola-ray', () => {
  it('is on every response, and found in the log', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'isola-logs-'));
    const platform = await startTestPlatform(['--data', dataDir]);
    const rays: string[] = [];
    try {
      await deployCode(platform, 'fine', 'export default { fetch: () => new Response("fine") }');
      await deployCode(platform, 'throws', 'export default { fetch() { throw new Error("\\u001b[31mred\\n{") } }');
      for (const worker of ['fine', 'throws', 'nobody']) {
        const { headers } = await platform.request(worker, '/');
        assert.match(String(headers['x-isola-ray']), /^[0-9a-z]{16}$/);
        rays.push(String(headers['x-isola-ray']));
      }
    } finally {
      await platform.stop(); // which writes what is still gathered
    }
    const log = await readFile(join(dataDir, 'logs', 'invocations.jsonl'), 'utf8');
    await rm(dataDir, { recursive: true });
    // One record a line, and nothing that a terminal would obey.
    assert.match(log, /^[\n\x20-\x7e]+$/);
    const records = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ray: string; status: number; event: string; outcome?: string });
    assert.deepEqual(
      rays
        .map((ray) => records.find((record) => record.ray === ray))
        .map((found) => [found?.event, found?.status, found?.outcome]),
      [
        ['fetch', 200, 'ok'],
        ['fetch', 500, 'exception'],
        ['page', 404, undefined],
      ],
    );
  });
});
