import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('isola/scheduled', () => {
  it('fires the event and tells how it ended', async () => {
    await using control = await openTestControl({ now: () => Date.UTC(2026, 10, 21) });
    await control.upload(SCRIPT, {});
    const path = `${SCRIPT}/isola/scheduled`;
    assert.deepEqual((await control.request('POST', path, { cron: '* * * * *', scheduledTime: 5 })).result, {
      outcome: 'ok',
    });
    await control.request('POST', path);
    assert.deepEqual(control.platform.fired, [
      { worker: 'hello', cron: '* * * * *', scheduledTime: 5 },
      { worker: 'hello', cron: '', scheduledTime: Date.UTC(2026, 10, 21) },
    ]);
    assert.equal((await control.request('POST', path, { scheduledTime: 'x' })).status, 400);
    assert.equal((await control.request('POST', '/workers/scripts/none/isola/scheduled')).errors[0]?.code, 10007);
  });
});
