import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('isola/scheduled', () => {
  it('fires the event and tells how it ended', async () => {
    await using control = await openTestControl({ now: () => Date.UTC(2026, 10, 21) });
    await control.upload(SCRIPT, {});
    const path = `${SCRIPT}/isola/scheduled`;
    const { result } = await control.request('POST', path, { cron: '* * * * *', scheduledTime: 5 });
    assert.deepEqual([result.outcome, result.logs], ['ok', []]);
    await control.request('POST', path);
    assert.deepEqual(control.platform.fired, [
      { worker: 'hello', cron: '* * * * *', scheduledTime: 5 },
      { worker: 'hello', cron: '', scheduledTime: Date.UTC(2026, 10, 21) },
    ]);
    assert.equal((await control.request('POST', path, { scheduledTime: 'x' })).status, 400);
    assert.equal((await control.request('POST', '/workers/scripts/none/isola/scheduled')).errors[0]?.code, 10007);
  });
});

describe('schedules', () => {
  const PATH = `${SCRIPT}/schedules`;

  it('are replaced as a whole, listed, and gone with their Worker', async () => {
    await using control = await openTestControl();
    control.platform.checkResult = { ok: true, startupMs: 1, handlers: ['scheduled'] };
    await control.upload(SCRIPT, {});
    for (const crons of [['*/5 * * * *', '0 9 * * MON-FRI'], ['0 0 1 * *'], []]) {
      const { status } = await control.request(
        'PUT',
        PATH,
        crons.map((cron) => ({ cron })),
      );
      assert.equal(status, 200);
      const { result } = await control.request('GET', PATH);
      assert.deepEqual(
        result.schedules.map(({ cron }: { cron: string }) => cron),
        crons,
      );
    }
    await control.request('PUT', PATH, [{ cron: '* * * * *' }]);
    await control.request('DELETE', SCRIPT);
    assert.equal((await control.request('GET', PATH)).errors[0]?.code, 10007);
    await control.upload(SCRIPT, {});
    assert.deepEqual((await control.request('GET', PATH)).result.schedules, []);
  });

  it('are refused with what is wrong, and nothing changes', async () => {
    await using control = await openTestControl();
    control.platform.checkResult = { ok: true, startupMs: 1, handlers: ['scheduled'] };
    await control.upload(SCRIPT, {});
    await control.request('PUT', PATH, [{ cron: '1 * * * *' }]);
    for (const [cron, reason] of [
      ['61 * * * *', /"61" is no minute, allowed are 0 to 59/],
      ['* * * *', /five|fields/],
      ['0 0 30 2 *', /no date ever fits/],
    ] as const) {
      const { status, errors } = await control.request('PUT', PATH, [{ cron: '2 * * * *' }, { cron }]);
      assert.deepEqual([status, errors[0]?.code], [400, 10360], cron);
      assert.match(errors[0]!.message, reason);
    }
    const { result } = await control.request('GET', PATH);
    assert.deepEqual(
      result.schedules.map(({ cron }: { cron: string }) => cron),
      ['1 * * * *'],
    );
  });

  it('need a deployed version with a scheduled handler', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    const { status, errors } = await control.request('PUT', PATH, [{ cron: '* * * * *' }]);
    assert.deepEqual([status, errors[0]?.code], [400, 10361]);
  });
});
