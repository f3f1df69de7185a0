/**
 * Cron expressions as Cloudflare reads them: five fields in UTC, weekdays from 1 (Sunday) to 7 (Saturday), with Quartz's
 * `L`, `W` and `#`. docs/cron.md has the grammar.
 *
 * Each field is parsed here, so that an error can say what is wrong, and handed on as plain numbers: what `croner`
 * reads differently by itself (its weekdays begin with 0, a range may not pass the end) does not matter then. The
 * calendar is croner's.
 */
import { Cron } from 'croner';
import { PlatformError } from '../errors.ts';
import { MAX_CRON_CHARS } from '../limits.ts';
import { DAY_OF_MONTH, HOUR, MINUTE, MONTH, parseField, parseValue, WEEKDAY } from './cron-field.ts';

export const MINUTE_MS = 60_000;
const LAST_WEEK = 5; // a weekday comes at most so often in a month
const CACHE_ENTRIES = 1_000;

export interface CronExpression {
  /** The first due time after `ms`. Both are ms since 1970. */
  next(ms: number): number | undefined;
  /** The last due time that is not after `ms`. */
  latest(ms: number): number | undefined;
}

const cache = new Map<string, CronExpression>();

/** Throws `invalidCron`, which names the expression and what is wrong with it, also for one that is never due. */
export function parseCron(text: string): CronExpression {
  const known = cache.get(text);
  if (known !== undefined) return known;
  const expression = read(text);
  if (cache.size >= CACHE_ENTRIES) cache.clear();
  cache.set(text, expression);
  return expression;
}

function read(text: string): CronExpression {
  const refuse = (reason: string): never => {
    const shown = text.length > MAX_CRON_CHARS ? `${text.slice(0, MAX_CRON_CHARS)}…` : text;
    throw new PlatformError('invalidCron', `Cannot use the cron expression "${shown}": ${reason}`);
  };
  if (text.length > MAX_CRON_CHARS) return refuse(`it has ${text.length} characters, limit is ${MAX_CRON_CHARS}`);
  const cron = new Cron(toPattern(text, refuse), { mode: '5-part', utcOffset: 0, paused: true });
  const expression: CronExpression = {
    next: (ms) => cron.nextRun(new Date(ms))?.getTime(),
    // Croner's is before the time given.
    latest: (ms) => cron.previousRuns(1, new Date(ms - (ms % MINUTE_MS) + MINUTE_MS))[0]?.getTime(),
  };
  if (expression.next(0) === undefined) return refuse('no date ever fits it');
  return expression;
}

function toPattern(text: string, refuse: (reason: string) => never): string {
  const fields = text.trim().split(/[ \t]+/);
  const [minute, hour, day, month, weekday] = fields;
  if (fields.length !== 5 || minute === undefined || hour === undefined) {
    return refuse(
      `it has ${text.trim() === '' ? 0 : fields.length} fields, 5 are needed: minute hour day month weekday`,
    );
  }
  try {
    const plain = [parseField(minute, MINUTE), parseField(hour, HOUR)];
    const months = parseField(month ?? '', MONTH);
    return [...plain.map(String), toDayPattern(day ?? ''), String(months), toWeekdayPattern(weekday ?? '')].join(' ');
  } catch (error) {
    if (error instanceof RangeError) return refuse(error.message);
    throw error;
  }
}

/** `L`: the last day, `LW`: the last from Monday to Friday, `15W`: the nearest of those to the 15th, in the same month. */
function toDayPattern(text: string): string {
  const upper = text.toUpperCase();
  if (upper === 'L' || upper === 'LW') return upper;
  if (upper.startsWith('L-')) throw new RangeError(`"${text}": days before the last one are not supported`);
  if (upper.endsWith('W')) return `${parseValue(text.slice(0, -1), DAY_OF_MONTH)}W`;
  return String(parseField(text, DAY_OF_MONTH));
}

/** `FRIL`: the last Friday of the month, `FRI#2`: its second, `L`: Saturday. */
function toWeekdayPattern(text: string): string {
  if (text.toUpperCase() === 'L') return String(WEEKDAY.max - 1);
  const at = text.indexOf('#');
  if (at >= 0) {
    const nth = text.slice(at + 1);
    if (!/^[1-5]$/.test(nth))
      throw new RangeError(`"${text}": after # stands which one of the month, 1 to ${LAST_WEEK}`);
    return `${parseValue(text.slice(0, at), WEEKDAY) - 1}#${nth}`;
  }
  if (text.length > 1 && text.toUpperCase().endsWith('L')) return `${parseValue(text.slice(0, -1), WEEKDAY) - 1}#L`;
  const days = parseField(text, WEEKDAY);
  return days === '*' ? days : String(days.map((value) => value - 1));
}
