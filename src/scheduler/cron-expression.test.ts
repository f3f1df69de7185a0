import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlatformError } from '../errors.ts';
import { MAX_CRON_CHARS } from '../limits.ts';
import { parseCron } from './cron-expression.ts';

const at = (iso: string): number => Date.parse(`${iso}Z`);
const next = (cron: string, after: string): string | undefined => {
  const ms = parseCron(cron).next(at(after));
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
};

describe('parseCron()', () => {
  // 2026-11-29 is a Sunday.
  for (const [cron, after, due] of [
    ['* * * * *', '2026-11-29T20:15:00', '2026-11-29T20:16'],
    ['*/5 * * * *', '2026-11-29T20:15:01', '2026-11-29T20:20'],
    ['0 9 * * MON-FRI', '2026-11-29T20:15', '2026-11-30T09:00'],
    ['10 7 * * 2-6', '2026-11-29T20:15', '2026-11-30T07:10'],
    ['0 17 * * 1', '2026-11-29T20:15', '2026-12-06T17:00'],
    ['0 17 * * sun', '2026-11-29T16:15', '2026-11-29T17:00'],
    ['0 0 * * 7', '2026-11-29T16:15', '2026-12-05T00:00'],
    ['0 0 * * fri-MON', '2026-11-30T16:15', '2026-12-04T00:00'],
    ['0 22-2 * * *', '2026-11-29T23:15', '2026-11-30T00:00'],
    ['5/20 * * * *', '2026-11-29T20:06', '2026-11-29T20:25'],
    ['0 0 1 jan,Jul *', '2026-11-29T20:06', '2027-01-01T00:00'],
    ['0 0 1,15 * 2', '2026-11-29T20:06', '2026-11-30T00:00'],
    ['0 18 * * friL', '2026-11-29T20:06', '2026-12-25T18:00'],
    ['0 18 * * 6L', '2026-11-29T20:06', '2026-12-25T18:00'],
    ['0 18 * * MON#2', '2026-11-29T20:06', '2026-12-14T18:00'],
    ['0 18 * * L', '2026-11-29T20:06', '2026-12-05T18:00'],
    ['0 0 L * *', '2026-11-29T20:06', '2026-11-30T00:00'],
    ['59 23 LW 1 *', '2026-11-29T20:06', '2027-01-29T23:59'],
    ['0 0 15W 11 *', '2026-10-29T20:06', '2026-11-16T00:00'],
    ['0 0 29 2 *', '2026-11-29T20:06', '2028-02-29T00:00'],
    ['  0\t0  1 1 * ', '2026-11-29T20:06', '2027-01-01T00:00'],
  ] as const) {
    it(`${cron} is due at ${due} after ${after}`, () => {
      assert.equal(next(cron, after), due);
    });
  }

  it('gives the last due time that has come', () => {
    const hourly = parseCron('0 * * * *');
    assert.equal(hourly.latest(at('2026-11-29T20:00:00')), at('2026-11-29T20:00'));
    assert.equal(hourly.latest(at('2026-11-29T20:59:59.999')), at('2026-11-29T20:00'));
    assert.equal(hourly.latest(at('2026-11-29T19:59:59.999')), at('2026-11-29T19:00'));
  });

  for (const [cron, reason] of [
    ['', /it has 0 fields, 5 are needed: minute hour day month weekday/],
    ['* * * *', /it has 4 fields/],
    ['0 * * * * *', /it has 6 fields/],
    ['@daily', /it has 1 fields/],
    ['60 * * * *', /"60" is no minute, allowed are 0 to 59/],
    ['* 24 * * *', /"24" is no hour, allowed are 0 to 23/],
    ['* * 0 * *', /"0" is no day of the month, allowed are 1 to 31/],
    ['* * * 13 *', /"13" is no month, allowed are 1 \(JAN\) to 12 \(DEC\)/],
    ['* * * * 0', /"0" is no weekday, allowed are 1 \(SUN\) to 7 \(SAT\)/],
    ['* * * * FUN', /"FUN" is no weekday/],
    ['*/0 * * * *', /"0" is no step of a minute, allowed are 1 to 59/],
    ['*/60 * * * *', /"60" is no step of a minute/],
    ['*,5 * * * *', /"\*" is not understood as a minute: \* stands alone, or before a step/],
    ['1-* * * * *', /"1-\*" is not understood as a minute/],
    ['1,,2 * * * *', /"" is not understood as a minute/],
    ['? * * * *', /"\?" is not understood/],
    ['* * L-3 * *', /"L-3": days before the last one are not supported/],
    ['* * 1W,3 * *', /"1W" is no day of the month/],
    ['* * * * MON#6', /"MON#6": after # stands which one of the month, 1 to 5/],
    ['* * * * MON#2#3', /"MON#2#3"/],
    ['0 0 31 2 *', /no date ever fits it/],
    ['0 0 31W 4 *', /no date ever fits it/],
    ['\u001b[31m * * * *', /is no minute|is not understood/],
    ['1 '.repeat(200), new RegExp(`has 400 characters, limit is ${MAX_CRON_CHARS}`)],
  ] as const) {
    it(`refuses ${JSON.stringify(cron.slice(0, 30))}`, () => {
      assert.throws(
        () => parseCron(cron),
        (error: unknown) => {
          assert.ok(error instanceof PlatformError);
          assert.equal(error.kind, 'invalidCron');
          assert.match(error.message, reason);
          return true;
        },
      );
    });
  }
});
