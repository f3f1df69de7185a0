/** Random expressions, each beside a function that says of one minute whether it fits: the two must agree. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE_MS, parseCron } from './cron-expression.ts';

const CASES = 120;
const HORIZON_MINUTES = 45 * 24 * 60; // longer than the longest month
const MONTHS = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');
const DAYS = 'SUN MON TUE WED THU FRI SAT'.split(' ');

interface Field {
  readonly text: string;
  readonly fits: (date: Date) => boolean;
}

describe('A cron expression', () => {
  it('is due in the minutes that a naive reading of its fields says', () => {
    const random = seeded(20_261_129);
    for (let round = 0; round < CASES; round++) {
      const [minute, hour, day, month, weekday] = [
        plain(random, { min: 0, max: 59, read: (date) => date.getUTCMinutes() }),
        plain(random, { min: 0, max: 23, read: (date) => date.getUTCHours() }),
        chance(random, 4) ? specialDay(random) : plain(random, { min: 1, max: 31, read: (date) => date.getUTCDate() }),
        plain(random, { min: 1, max: 12, names: MONTHS, read: (date) => date.getUTCMonth() + 1 }),
        chance(random, 4)
          ? specialWeekday(random)
          : plain(random, { min: 1, max: 7, names: DAYS, read: (date) => date.getUTCDay() + 1 }),
      ] as const;
      const text = [minute, hour, day, month, weekday].map((field) => field.text).join(' ');
      const fits = (date: Date): boolean => {
        const both = day.text !== '*' && weekday.text !== '*';
        const onDay = both ? day.fits(date) || weekday.fits(date) : day.fits(date) && weekday.fits(date);
        return onDay && month.fits(date) && hour.fits(date) && minute.fits(date);
      };
      const from = Math.floor((Date.UTC(2024, 0) + random() * 4 * 365 * 86_400_000) / MINUTE_MS) * MINUTE_MS;
      compare(text, from, fits);
    }
  });
});

function compare(text: string, from: number, fits: (date: Date) => boolean): void {
  let expression;
  try {
    expression = parseCron(text);
  } catch (error) {
    assert.match((error as Error).message, /no date ever fits it/);
    for (let minutes = 1; minutes <= HORIZON_MINUTES; minutes++) {
      assert.ok(!fits(new Date(from + minutes * MINUTE_MS)), text);
    }
    return;
  }
  let expected: number | undefined;
  for (let minutes = 1; minutes <= HORIZON_MINUTES && expected === undefined; minutes++) {
    if (fits(new Date(from + minutes * MINUTE_MS))) expected = from + minutes * MINUTE_MS;
  }
  const due = expression.next(from);
  const horizon = from + HORIZON_MINUTES * MINUTE_MS;
  assert.equal(due !== undefined && due <= horizon ? due : undefined, expected, `${text} after ${show(from)}`);
  if (expected === undefined) return;
  assert.equal(expression.latest(expected + MINUTE_MS - 1), expected, `${text} at ${show(expected)}`);
  const before = expression.latest(expected - 1);
  assert.ok(before === undefined || before <= from, `${text} before ${show(expected)}`);
}

function plain(
  random: () => number,
  { min, max, names, read }: { min: number; max: number; names?: readonly string[]; read: (date: Date) => number },
): Field {
  if (chance(random, 2)) return { text: '*', fits: () => true };
  const any = (): number => min + Math.floor(random() * (max - min + 1));
  const show = (value: number): string =>
    names !== undefined && chance(random, 2) ? (names[value - min] ?? '') : `${value}`;
  const items = Array.from({ length: 1 + Math.floor(random() * 3) }, (): { text: string; values: Set<number> } => {
    const [from, to, step] = [any(), any(), 1 + Math.floor(random() * (max - min))];
    const walk = (first: number, last: number, by: number): Set<number> => {
      const values = new Set<number>();
      for (let value = first, count = 0; ; value = value === max ? min : value + 1, count++) {
        if (count % by === 0) values.add(value);
        if (value === last) return values;
      }
    };
    switch (Math.floor(random() * 5)) {
      case 0:
        return { text: `*/${step}`, values: walk(min, max, step) };
      case 1:
        return { text: `${show(from)}-${show(to)}`, values: walk(from, to, 1) };
      case 2:
        return { text: `${show(from)}-${show(to)}/${step}`, values: walk(from, to, step) };
      case 3:
        return { text: `${show(from)}/${step}`, values: walk(from, max, step) };
      default:
        return { text: show(from), values: new Set([from]) };
    }
  });
  return {
    text: items.map((item) => item.text).join(','),
    fits: (date) => items.some((item) => item.values.has(read(date))),
  };
}

function specialDay(random: () => number): Field {
  const day = 1 + Math.floor(random() * 31);
  switch (Math.floor(random() * 3)) {
    case 0:
      return { text: 'L', fits: (date) => date.getUTCDate() === lastDay(date) };
    case 1:
      return { text: 'LW', fits: (date) => date.getUTCDate() === nearestWorkday(date, lastDay(date)) };
    default:
      return {
        text: `${day}W`,
        fits: (date) => day <= lastDay(date) && date.getUTCDate() === nearestWorkday(date, day),
      };
  }
}

function specialWeekday(random: () => number): Field {
  const day = Math.floor(random() * 7);
  const nth = 1 + Math.floor(random() * 5);
  const shown = chance(random, 2) ? DAYS[day] : day + 1;
  if (chance(random, 2)) {
    return {
      text: `${shown}L`,
      fits: (date) => date.getUTCDay() === day && date.getUTCDate() > lastDay(date) - 7,
    };
  }
  return {
    text: `${shown}#${nth}`,
    fits: (date) => date.getUTCDay() === day && Math.ceil(date.getUTCDate() / 7) === nth,
  };
}

function lastDay(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

/** From Monday to Friday, as near to the day as it gets within its month. */
function nearestWorkday(date: Date, day: number): number {
  const isWorkday = (candidate: number): boolean => {
    if (candidate < 1 || candidate > lastDay(date)) return false;
    const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), candidate)).getUTCDay();
    return weekday >= 1 && weekday <= 5;
  };
  for (const offset of [0, -1, 1, -2, 2]) if (isWorkday(day + offset)) return day + offset;
  return -1;
}

function chance(random: () => number, oneIn: number): boolean {
  return random() * oneIn < 1;
}

function show(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same numbers every time: mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
