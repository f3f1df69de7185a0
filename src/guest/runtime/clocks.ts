/**
 * Clocks that stand still within an entry: everything that tells the time tells the entry's. Tenants then have no fine
 * clock to time other tenants (or the CPU's caches) by.
 */
import { now } from './host.ts';
import { reflectApply, reflectConstruct, SafeWeakMap } from './intrinsics.ts';
import { replaceConstructor } from './replace.ts';

const NativeDate = Date;
const dateToString = Date.prototype.toString;
const NativeDateTimeFormat = Intl.DateTimeFormat;
const datePrototype = Date.prototype as Date & { toTemporalInstant(): unknown };
/** Wall time of boot, in ms since 1970. */
export let timeOrigin = 0;

function GuestDate(this: unknown): unknown {
  if (new.target === undefined) return reflectApply(dateToString, new NativeDate(now()), []);
  // oxlint-disable-next-line prefer-rest-params -- rest parameters would cost an array for each `new Date()`
  const given = arguments;
  if (given.length === 0) {
    return new.target === GuestDate ? new NativeDate(now()) : reflectConstruct(NativeDate, [now()], new.target);
  }
  return reflectConstruct(NativeDate, given, new.target);
}

/** Time since boot in ms: `performance.now()` and `Event.timeStamp`. */
export function sinceOrigin(): number {
  return now() - timeOrigin;
}

/** After the context exists: V8 would put its own `Temporal` over ours. */
export function installClocks(): void {
  timeOrigin = now();
  replaceConstructor('Date', NativeDate, GuestDate);
  Object.defineProperty(GuestDate, 'now', {
    value: { now: () => now() }.now,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  installDateTimeFormat();
  installTemporal();
}

/** `format` and `formatToParts` show the present when no date is given. */
function installDateTimeFormat(): void {
  const { prototype } = Intl.DateTimeFormat;
  const nativeFormat = Object.getOwnPropertyDescriptor(prototype, 'format')!.get!;
  const nativeParts = prototype.formatToParts;
  const bound = new SafeWeakMap<object, (date?: Date | number) => string>();
  const replacement = {
    get format(): (date?: Date | number) => string {
      const native = reflectApply(nativeFormat, this, []) as (date: unknown) => string;
      let format = bound.get(this);
      if (format === undefined) {
        format = (date) => native(date === undefined ? now() : date);
        Object.defineProperty(format, 'name', { value: '', configurable: true });
        bound.set(this, format);
      }
      return format;
    },
    formatToParts(date: unknown): unknown {
      return reflectApply(nativeParts, this, [date === undefined ? now() : date]);
    },
  };
  for (const key of ['format', 'formatToParts'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(replacement, key)!;
    Object.defineProperty(prototype, key, { ...descriptor, enumerable: false });
  }
}

type Part = object & { readonly constructor: object };
interface Zoned extends Part {
  toPlainDate(): Part & { toPlainYearMonth(): Part; toPlainMonthDay(): Part };
  toPlainDateTime(): Part;
  toPlainTime(): Part;
}
interface Instant extends Part {
  toZonedDateTimeISO(zone: unknown): Zoned;
  until(other: Instant): Part;
}

/**
 * `Temporal` takes 166 kB of heap from its first mention on, so it is not mentioned: V8's is deleted unread, and one
 * of the same classes, with a `Now` of ours, is put together when a program first asks.
 */
function installTemporal(): void {
  if (!Reflect.deleteProperty(globalThis, 'Temporal')) return;
  const define = (value: unknown): void => {
    Object.defineProperty(globalThis, 'Temporal', { value, writable: true, enumerable: false, configurable: true });
  };
  Object.defineProperty(globalThis, 'Temporal', {
    get: () => {
      const temporal = createTemporal();
      define(temporal);
      return temporal;
    },
    set: define,
    enumerable: false,
    configurable: true,
  });
}

function createTemporal(): object {
  // From the prototype as it is now: before the first mention there is nothing to capture.
  const sample = reflectApply(datePrototype.toTemporalInstant, new NativeDate(0), []) as Instant;
  const { toZonedDateTimeISO } = sample;
  const zoned = sample.toZonedDateTimeISO('UTC');
  const { toPlainDate, toPlainDateTime, toPlainTime } = zoned;
  const date = zoned.toPlainDate();
  const instant = (): Instant => reflectApply(datePrototype.toTemporalInstant, new NativeDate(now()), []) as Instant;
  const at = (zone: unknown): Zoned => reflectApply(toZonedDateTimeISO, instant(), [zone ?? timeZoneId()]);
  const present = {
    timeZoneId,
    instant: () => instant(),
    plainDateTimeISO: (zone?: unknown) => reflectApply(toPlainDateTime, at(zone), []),
    zonedDateTimeISO: (zone?: unknown) => at(zone),
    plainDateISO: (zone?: unknown) => reflectApply(toPlainDate, at(zone), []),
    plainTimeISO: (zone?: unknown) => reflectApply(toPlainTime, at(zone), []),
  };
  return namespace('Temporal', {
    Now: namespace('Temporal.Now', present),
    Duration: sample.until(sample).constructor,
    Instant: sample.constructor,
    PlainDate: date.constructor,
    PlainDateTime: zoned.toPlainDateTime().constructor,
    PlainMonthDay: date.toPlainMonthDay().constructor,
    PlainTime: zoned.toPlainTime().constructor,
    PlainYearMonth: date.toPlainYearMonth().constructor,
    ZonedDateTime: zoned.constructor,
  });
}

function timeZoneId(): string {
  return new NativeDateTimeFormat().resolvedOptions().timeZone;
}

function namespace(name: string, members: object): object {
  const object = {};
  for (const [key, value] of Object.entries(members)) {
    Object.defineProperty(object, key, {
      value: value as unknown,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }
  Object.defineProperty(object, Symbol.toStringTag, { value: name, configurable: true });
  return object;
}
