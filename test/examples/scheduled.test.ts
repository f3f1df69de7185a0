import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/scheduled', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await platform.deploy('examples/scheduled');
  });
  after(() => platform.stop());

  const fire = (worker: string, event: object): Promise<Response> =>
    platform.control(`/accounts/${platform.account}/workers/scripts/${worker}/isola/scheduled`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });

  it('runs the handler with its cron and time, to the end of its waitUntil', async () => {
    const scheduledTime = Date.UTC(2026, 0, 2, 3, 4);
    const response = await fire('scheduled', { cron: '*/5 * * * *', scheduledTime });
    assert.equal(response.status, 200);
    const { result } = (await response.json()) as { result: { outcome: string } };
    assert.equal(result.outcome, 'ok');
    const { text } = await platform.request('scheduled', '/');
    assert.ok((JSON.parse(text) as { runs: string[] }).runs.includes('*/5 * * * * due 2026-01-02T03:04:00.000Z'));
  });

  it('has the cron trigger of its configuration', async () => {
    const response = await platform.control(`/accounts/${platform.account}/workers/scripts/scheduled/isola/schedules`);
    const { result } = (await response.json()) as { result: { cron: string; next_due: string }[] };
    assert.deepEqual(
      result.map(({ cron }) => cron),
      ['*/5 * * * *'],
    );
    const untilDue = Date.parse(result[0]!.next_due) - Date.now();
    assert.ok(untilDue <= 300_000 && new Date(result[0]!.next_due).getUTCMinutes() % 5 === 0);
  });

  it('prints what the handler logged as an event', async () => {
    const line = await platform.line(/cleaned up for/);
    const event = JSON.parse(line) as { event: string; worker: string };
    assert.equal(event.event, 'invocation');
    assert.equal(event.worker, 'scheduled');
  });

  it('answers 404 for a Worker that is not there', async () => {
    const response = await fire('nobody', { cron: '* * * * *' });
    assert.equal(response.status, 404);
  });
});
