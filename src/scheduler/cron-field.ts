/** One field of a cron expression: lists, ranges, steps and names, as numbers. */

export interface FieldRules {
  /** What it counts, for messages. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on, in capitals. */
  readonly names?: readonly string[];
}

const MONTH_NAMES = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export const MINUTE: FieldRules = { name: 'minute', min: 0, max: 59 };
export const HOUR: FieldRules = { name: 'hour', min: 0, max: 23 };
export const DAY_OF_MONTH: FieldRules = { name: 'day of the month', min: 1, max: 31 };
export const MONTH: FieldRules = { name: 'month', min: 1, max: 12, names: MONTH_NAMES };
/** As at Cloudflare and in Quartz: 1 is Sunday. */
export const WEEKDAY: FieldRules = { name: 'weekday', min: 1, max: 7, names: WEEKDAY_NAMES };

const ITEM = /^(?<from>\*|\w+)(?:-(?<to>\w+))?(?:\/(?<step>\w+))?$/;

/** The values that a field without `L`, `W` and `#` stands for, each once, or `*`. Throws a RangeError that says what is wrong. */
export function parseField(text: string, rules: FieldRules): readonly number[] | '*' {
  if (text === '*') return '*';
  const values = new Set<number>();
  for (const item of text.split(',')) {
    for (const value of parseItem(item, rules)) values.add(value);
  }
  return [...values].toSorted((a, b) => a - b);
}

/** One number or name. */
export function parseValue(text: string, { name, min, max, names }: FieldRules): number {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return min + named;
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value;
  const ends = names === undefined ? `${min} to ${max}` : `${min} (${names[0]}) to ${max} (${names.at(-1)})`;
  throw new RangeError(`"${text}" is no ${name}, allowed are ${ends}`);
}

function parseItem(item: string, rules: FieldRules): number[] {
  const { name, min, max } = rules;
  const { from, to, step } = ITEM.exec(item)?.groups ?? {};
  if (from === undefined) throw new RangeError(`"${item}" is not understood as a ${name}`);
  if (from === '*' && (to !== undefined || step === undefined)) {
    throw new RangeError(`"${item}" is not understood as a ${name}: * stands alone, or before a step`);
  }
  const first = from === '*' ? min : parseValue(from, rules);
  if (to === undefined && step === undefined) return [first];
  const last = to === undefined ? max : parseValue(to, rules);
  // A range may pass the end and begin anew: FRI-MON, 22-2.
  const span = max - min + 1;
  const count = ((last - first + span) % span) + 1;
  const every = step === undefined ? 1 : parseStep(step, rules);
  return Array.from({ length: Math.ceil(count / every) }, (_, index) => min + ((first - min + index * every) % span));
}

function parseStep(text: string, { name, min, max }: FieldRules): number {
  const step = Number(text);
  if (/^\d{1,9}$/.test(text) && step >= 1 && step <= max - min) return step;
  throw new RangeError(`"${text}" is no step of a ${name}, allowed are 1 to ${max - min}`);
}
