/** User Timing and the Performance Timeline: `performance.mark()`, `measure()` and who observes them. */
import {
  arrayPush,
  arraySlice,
  arraySort,
  defineInterface,
  DOMException,
  objectDefineProperty,
  objectFreeze,
  promiseResolve,
  promiseThen,
  reflectApply,
  reportError,
  requireArguments,
  sinceOrigin,
  structuredClone,
  symbolIterator,
  toDOMString,
} from '../core.ts';

const MAX_ENTRIES = 10_000; // kept in an isolate; its life may be long, and nobody may ever clear them
const MAX_OBSERVERS = 1_000;
const KEY = Symbol('key'); // only the timeline makes entries that are no marks
const TYPES = objectFreeze(['mark', 'measure'] as const);
type EntryType = (typeof TYPES)[number];

let timeline: PerformanceEntry[] = [];
const observers: PerformanceObserver[] = [];
let isQueued = false;

interface EntryState {
  readonly name: string;
  readonly entryType: EntryType;
  readonly startTime: number;
  readonly duration: number;
}

let entryOf: (entry: PerformanceEntry) => EntryState;

export class PerformanceEntry {
  readonly #state: EntryState;

  static {
    entryOf = (entry) => entry.#state;
  }

  constructor(key: unknown, state: EntryState) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    this.#state = state;
  }

  get name(): string {
    return this.#state.name;
  }
  get entryType(): string {
    return this.#state.entryType;
  }
  get startTime(): number {
    return this.#state.startTime;
  }
  get duration(): number {
    return this.#state.duration;
  }

  toJSON(): object {
    const { name, entryType, startTime, duration } = this.#state;
    return { name, entryType, startTime, duration };
  }
}
defineInterface(PerformanceEntry, 'PerformanceEntry', { constructor: 0 });

interface MarkOptions {
  startTime?: unknown;
  detail?: unknown;
}

export class PerformanceMark extends PerformanceEntry {
  readonly #detail: unknown;

  constructor(name: unknown, options?: MarkOptions | null) {
    requireArguments(arguments.length, 1, "Failed to construct 'PerformanceMark'");
    const text = toDOMString(name);
    const { startTime, detail } = toDictionary(options) as MarkOptions;
    const time = startTime === undefined ? sinceOrigin() : toTime(startTime);
    if (time < 0) throw new TypeError('The startTime of a mark cannot be negative');
    super(KEY, { name: text, entryType: 'mark', startTime: time, duration: 0 });
    this.#detail = toDetail(detail);
  }

  get detail(): unknown {
    return this.#detail;
  }

  override toJSON(): object {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
defineInterface(PerformanceMark, 'PerformanceMark', { constructor: 1 });

export class PerformanceMeasure extends PerformanceEntry {
  readonly #detail: unknown;

  constructor(key: unknown, state: EntryState, detail: unknown) {
    super(key, state);
    this.#detail = detail;
  }

  get detail(): unknown {
    return this.#detail;
  }

  override toJSON(): object {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
defineInterface(PerformanceMeasure, 'PerformanceMeasure', { constructor: 0 });

export function mark(name: unknown, options?: MarkOptions): PerformanceMark {
  const entry = new PerformanceMark(name, options);
  record(entry);
  return entry;
}

interface MeasureOptions extends MarkOptions {
  start?: unknown;
  end?: unknown;
  duration?: unknown;
}

export function measure(name: unknown, startOrOptions?: unknown, endMark?: unknown): PerformanceMeasure {
  const text = toDOMString(name);
  const isDictionary = typeof startOrOptions === 'object' || typeof startOrOptions === 'function';
  const options = (isDictionary ? (startOrOptions ?? {}) : {}) as MeasureOptions;
  const { start, end, duration, detail } = options;
  const isGiven = start !== undefined || end !== undefined || duration !== undefined || detail !== undefined;
  if (isDictionary && isGiven) {
    if (endMark !== undefined) throw new TypeError('A measure takes either options or an end mark');
    if (start === undefined && end === undefined) throw new TypeError('The options of a measure have no start or end');
    if (start !== undefined && end !== undefined && duration !== undefined) {
      throw new TypeError('The options of a measure have a start, an end and a duration');
    }
  }
  const length = duration === undefined ? undefined : toTime(duration);
  const startMark = isDictionary || startOrOptions === undefined ? undefined : toDOMString(startOrOptions);
  let endTime: number;
  if (endMark !== undefined) endTime = timeOfMark(toDOMString(endMark));
  else if (end !== undefined) endTime = toMarkTime(end);
  else if (start !== undefined && length !== undefined) endTime = toMarkTime(start) + length;
  else endTime = sinceOrigin();
  let startTime = 0;
  if (start !== undefined) startTime = toMarkTime(start);
  else if (length !== undefined && end !== undefined) startTime = toMarkTime(end) - length;
  else if (startMark !== undefined) startTime = timeOfMark(startMark);
  const state = { name: text, entryType: 'measure', startTime, duration: endTime - startTime } as const;
  const entry = new PerformanceMeasure(KEY, state, toDetail(detail));
  record(entry);
  return entry;
}

export function clear(type: EntryType, name: unknown): void {
  const text = name === undefined ? undefined : toDOMString(name);
  timeline = filter(timeline, (state) => state.entryType !== type || (text !== undefined && state.name !== text));
}

/** In the order of their start times. */
export function entries(name?: unknown, type?: unknown): PerformanceEntry[] {
  return select(timeline, name, type);
}

export class PerformanceObserverEntryList {
  readonly #entries: readonly PerformanceEntry[];

  constructor(key: unknown, list: readonly PerformanceEntry[]) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    this.#entries = list;
  }

  getEntries(): PerformanceEntry[] {
    return select(this.#entries);
  }

  getEntriesByType(type: unknown): PerformanceEntry[] {
    requireArguments(arguments.length, 1, "Failed to execute 'getEntriesByType' on 'PerformanceObserverEntryList'");
    return select(this.#entries, undefined, type);
  }

  getEntriesByName(name: unknown, type?: unknown): PerformanceEntry[] {
    requireArguments(arguments.length, 1, "Failed to execute 'getEntriesByName' on 'PerformanceObserverEntryList'");
    return select(this.#entries, name, type);
  }
}
defineInterface(PerformanceObserverEntryList, 'PerformanceObserverEntryList', {
  constructor: 0,
  getEntriesByName: 1,
});

interface ObserveOptions {
  entryTypes?: Iterable<unknown>;
  type?: unknown;
  buffered?: unknown;
}

let offer: (observer: PerformanceObserver, entry: PerformanceEntry) => void;
let deliver: (observer: PerformanceObserver) => void;

export class PerformanceObserver {
  readonly #callback: (list: PerformanceObserverEntryList, observer: PerformanceObserver, options: object) => unknown;
  #types: string[] = [];
  #mode: 'single' | 'multiple' | undefined;
  #pending: PerformanceEntry[] = [];
  #hasRun = false;

  static {
    offer = (observer, entry) => {
      if (!includes(observer.#types, entryOf(entry).entryType)) return;
      arrayPush(observer.#pending, entry);
      queueDelivery();
    };
    deliver = (observer) => {
      const taken = observer.takeRecords();
      if (taken.length === 0) return;
      const options = observer.#hasRun ? {} : { droppedEntriesCount: 0 };
      observer.#hasRun = true;
      const list = new PerformanceObserverEntryList(KEY, taken);
      reflectApply(observer.#callback as never, observer, [list, observer, options]);
    };
  }

  constructor(callback: unknown) {
    requireArguments(arguments.length, 1, "Failed to construct 'PerformanceObserver'");
    if (typeof callback !== 'function') {
      throw new TypeError("Failed to construct 'PerformanceObserver': parameter 1 is not of type 'Function'");
    }
    this.#callback = callback as never;
  }

  static get supportedEntryTypes(): readonly string[] {
    return TYPES;
  }

  observe(options?: ObserveOptions): void {
    const { entryTypes, type, buffered } = toDictionary(options) as ObserveOptions;
    if ((entryTypes === undefined) === (type === undefined)) {
      throw new TypeError("Failed to execute 'observe' on 'PerformanceObserver': give either entryTypes or a type");
    }
    const mode = entryTypes === undefined ? 'single' : 'multiple';
    if (this.#mode !== undefined && this.#mode !== mode) {
      throw new DOMException('This observer has been observing in the other way', 'InvalidModificationError');
    }
    const types = entryTypes === undefined ? supported([type]) : supported(entryTypes);
    if (entryTypes !== undefined && buffered !== undefined && buffered !== false) {
      throw new TypeError("Failed to execute 'observe' on 'PerformanceObserver': buffered goes with a type");
    }
    if (types.length === 0) return;
    this.#mode = mode;
    if (mode === 'multiple') this.#types = types;
    else if (!includes(this.#types, types[0])) arrayPush(this.#types, types[0]!);
    if (!includes(observers, this)) {
      if (observers.length >= MAX_OBSERVERS) throw new Error(`There are ${MAX_OBSERVERS} observers already`);
      arrayPush(observers, this);
    }
    if (!buffered) return;
    const earlier = select(timeline, undefined, types[0]);
    for (let i = 0; i < earlier.length; i++) arrayPush(this.#pending, earlier[i]!);
    if (earlier.length > 0) queueDelivery();
  }

  disconnect(): void {
    for (let i = observers.length - 1; i >= 0; i--) {
      if (observers[i] !== this) continue;
      for (let j = i + 1; j < observers.length; j++) observers[j - 1] = observers[j]!;
      observers.length--;
    }
    this.#types = [];
    this.#pending = [];
    this.#mode = undefined;
  }

  takeRecords(): PerformanceEntry[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}
defineInterface(PerformanceObserver, 'PerformanceObserver', { constructor: 1, observe: 0 });
objectDefineProperty(PerformanceObserver, 'supportedEntryTypes', { enumerable: true });

function record(entry: PerformanceEntry): void {
  if (timeline.length < MAX_ENTRIES) arrayPush(timeline, entry);
  for (let i = 0; i < observers.length; i++) offer(observers[i]!, entry);
}

function queueDelivery(): void {
  if (isQueued) return;
  isQueued = true;
  void promiseThen(promiseResolve(undefined), () => {
    isQueued = false;
    const present = arraySlice(observers);
    for (let i = 0; i < present.length; i++) {
      try {
        deliver(present[i]!);
      } catch (error) {
        reportError(error);
      }
    }
  });
}

function select(list: readonly PerformanceEntry[], name?: unknown, type?: unknown): PerformanceEntry[] {
  const wantedName = name === undefined ? undefined : toDOMString(name);
  const wantedType = type === undefined ? undefined : toDOMString(type);
  const found = filter(
    list,
    (state) =>
      (wantedName === undefined || state.name === wantedName) &&
      (wantedType === undefined || state.entryType === wantedType),
  );
  return arraySort(found, (a, b) => entryOf(a).startTime - entryOf(b).startTime);
}

function filter(list: readonly PerformanceEntry[], keep: (state: EntryState) => boolean): PerformanceEntry[] {
  const kept: PerformanceEntry[] = [];
  for (let i = 0; i < list.length; i++) if (keep(entryOf(list[i]!))) arrayPush(kept, list[i]!);
  return kept;
}

function supported(types: Iterable<unknown>): string[] {
  const found: string[] = [];
  if (typeof types !== 'object' || types === null || !(symbolIterator in types)) {
    throw new TypeError("Failed to execute 'observe' on 'PerformanceObserver': entryTypes is not a sequence");
  }
  for (const type of types) {
    const text = toDOMString(type);
    if (includes(TYPES, text) && !includes(found, text)) arrayPush(found, text);
  }
  return found;
}

function includes(list: readonly unknown[], item: unknown): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === item) return true;
  return false;
}

/** The start time of the latest mark of this name. */
function timeOfMark(name: string): number {
  for (let i = timeline.length - 1; i >= 0; i--) {
    const state = entryOf(timeline[i]!);
    if (state.entryType === 'mark' && state.name === name) return state.startTime;
  }
  throw new DOMException(`There is no mark "${name}"`, 'SyntaxError');
}

/** A number is a time, anything else the name of a mark. */
function toMarkTime(value: unknown): number {
  if (typeof value !== 'number') return timeOfMark(toDOMString(value));
  const time = toTime(value);
  if (time < 0) throw new TypeError('A time of a measure cannot be negative');
  return time;
}

/** Web IDL `double`. */
function toTime(value: unknown): number {
  const time = Number(value);
  if (time - time !== 0) throw new TypeError('A time is not a finite number');
  return time;
}

function toDetail(detail: unknown): unknown {
  return detail === undefined || detail === null ? null : structuredClone(detail);
}

function toDictionary(value: unknown): object {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError('The options are not an object');
  return value;
}
