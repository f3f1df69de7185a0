/** `EventEmitter`, as a function: half of the registry calls it on an object of its own, or mixes its prototype in. */
import { inspect } from '../../core.ts';
import { checkFunction, checkNumber, invalidArgType, nodeError } from '../errors.ts';

export type Name = string | symbol;
export type Listener = ((...args: unknown[]) => unknown) & { listener?: Listener };
type Listeners = Record<Name, Listener | Listener[]>;

export interface Emitter {
  _events?: Listeners | undefined;
  _eventsCount: number;
  _maxListeners?: number | undefined;
  [CAPTURE]?: boolean;
  emit(name: Name, ...args: unknown[]): boolean;
  on(name: Name, listener: Listener): Emitter;
  once(name: Name, listener: Listener): Emitter;
  prependListener(name: Name, listener: Listener): Emitter;
  removeListener(name: Name, listener: Listener): Emitter;
  removeAllListeners(name?: Name): Emitter;
  getMaxListeners(): number;
  listenerCount(name: Name): number;
}

export const ERROR_MONITOR = Symbol('events.errorMonitor');
export const REJECTION = Symbol.for('nodejs.rejection');
const CAPTURE = Symbol('kCapture');

let defaultMaxListeners = 10;

export function EventEmitter(this: Emitter, options?: { captureRejections?: boolean }): void {
  init.call(this, options);
}

function init(this: Emitter, options?: { captureRejections?: boolean }): void {
  if (this._events === undefined || this._events === (Object.getPrototypeOf(this) as Emitter)._events) {
    this._events = blank();
    this._eventsCount = 0;
  }
  this._maxListeners ??= undefined;
  if (options?.captureRejections !== undefined) this[CAPTURE] = options.captureRejections;
}

function blank(): Listeners {
  return Object.create(null) as Listeners;
}

function eventsOf(emitter: Emitter): Listeners {
  if (emitter._events === undefined) {
    emitter._events = blank();
    emitter._eventsCount = 0;
  }
  return emitter._events;
}

function listOf(emitter: Emitter, name: Name): readonly Listener[] {
  const found = emitter._events?.[name];
  return found === undefined ? [] : typeof found === 'function' ? [found] : found;
}

function add(emitter: Emitter, name: Name, listener: unknown, prepend: boolean): Emitter {
  checkFunction(listener, 'listener');
  const added = listener as Listener;
  let events = eventsOf(emitter);
  if (events['newListener'] !== undefined) {
    emitter.emit('newListener', name, added.listener ?? added);
    events = eventsOf(emitter); // a listener may have removed all
  }
  const existing = events[name];
  if (existing === undefined) {
    events[name] = added;
    emitter._eventsCount++;
    return emitter;
  }
  const list = typeof existing === 'function' ? [existing] : existing;
  events[name] = list;
  if (prepend) list.unshift(added);
  else list.push(added);
  warnOfMany(emitter, name, list);
  return emitter;
}

function warnOfMany(emitter: Emitter, name: Name, list: Listener[] & { warned?: boolean }): void {
  const most = emitter.getMaxListeners();
  if (most <= 0 || list.length <= most || list.warned === true) return;
  list.warned = true;
  console.warn(
    `MaxListenersExceededWarning: Possible EventEmitter memory leak detected. ${list.length} ${String(name)} listeners ` +
      `added to ${inspect(emitter, -1)}. MaxListeners is ${most}. Use emitter.setMaxListeners() to increase limit`,
  );
}

function wrapOnce(emitter: Emitter, name: Name, listener: unknown): Listener {
  checkFunction(listener, 'listener');
  let fired = false;
  const wrapped: Listener = (...args) => {
    if (fired) return undefined;
    emitter.removeListener(name, wrapped);
    fired = true;
    return Reflect.apply(listener as Listener, emitter, args);
  };
  wrapped.listener = listener as Listener;
  return wrapped;
}

function throwUnhandled(emitter: Emitter, error: unknown): never {
  if (error instanceof Error) throw error;
  const unhandled = nodeError(
    Error,
    'ERR_UNHANDLED_ERROR',
    `Unhandled error. (${typeof error === 'string' ? `'${error}'` : inspect(error)})`,
  );
  throw Object.assign(unhandled, { context: error });
}

function watchRejection(emitter: Emitter, result: unknown, name: Name, args: unknown[]): void {
  const then = (result as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== 'function') return;
  Reflect.apply(then, result, [
    undefined,
    (error: unknown) => {
      queueMicrotask(() => {
        const handler = (emitter as unknown as Record<symbol, unknown>)[REJECTION];
        if (typeof handler === 'function') Reflect.apply(handler, emitter, [error, name, ...args]);
        else emitter.emit('error', error);
      });
    },
  ]);
}

function collect(emitter: Emitter, name: Name, unwrap: boolean): Listener[] {
  return listOf(emitter, name).map((listener) => (unwrap ? (listener.listener ?? listener) : listener));
}

const methods = {
  setMaxListeners(this: Emitter, count: unknown): Emitter {
    checkNumber(count, 'setMaxListeners', 0);
    this._maxListeners = count;
    return this;
  },
  getMaxListeners(this: Emitter): number {
    return this._maxListeners ?? defaultMaxListeners;
  },
  emit(this: Emitter, name: Name, ...args: unknown[]): boolean {
    const events = this._events;
    if (name === 'error') {
      if (events?.[ERROR_MONITOR] !== undefined) this.emit(ERROR_MONITOR, ...args);
      if (events?.['error'] === undefined) throwUnhandled(this, args[0]);
    }
    const found = events?.[name];
    if (found === undefined) return false;
    const captures = this[CAPTURE] ?? statics.captureRejections;
    if (typeof found === 'function') {
      const result = Reflect.apply(found, this, args);
      if (captures && result !== undefined && result !== null) watchRejection(this, result, name, args);
      return true;
    }
    for (const listener of [...found]) {
      const result = Reflect.apply(listener, this, args);
      if (captures && result !== undefined && result !== null) watchRejection(this, result, name, args);
    }
    return true;
  },
  addListener(this: Emitter, name: Name, listener: unknown): Emitter {
    return add(this, name, listener, false);
  },
  on(this: Emitter, name: Name, listener: unknown): Emitter {
    return add(this, name, listener, false);
  },
  prependListener(this: Emitter, name: Name, listener: unknown): Emitter {
    return add(this, name, listener, true);
  },
  once(this: Emitter, name: Name, listener: unknown): Emitter {
    return this.on(name, wrapOnce(this, name, listener));
  },
  prependOnceListener(this: Emitter, name: Name, listener: unknown): Emitter {
    return this.prependListener(name, wrapOnce(this, name, listener));
  },
  removeListener(this: Emitter, name: Name, listener: unknown): Emitter {
    checkFunction(listener, 'listener');
    const removed = listener as Listener;
    const events = this._events;
    const existing = events?.[name];
    if (events === undefined || existing === undefined) return this;
    const list = typeof existing === 'function' ? [existing] : existing;
    const at = list.findLastIndex((one) => one === removed || one.listener === removed);
    if (at < 0) return this;
    const original = list[at]!.listener ?? removed;
    if (list.length === 1) {
      delete events[name];
      this._eventsCount--;
      if (this._eventsCount === 0) this._events = blank();
    } else if (list.length === 2) {
      events[name] = list[1 - at]!;
    } else {
      list.splice(at, 1);
    }
    if (events['removeListener'] !== undefined) this.emit('removeListener', name, original);
    return this;
  },
  removeAllListeners(this: Emitter, ...names: Name[]): Emitter {
    const events = this._events;
    if (events === undefined) return this;
    const [name] = names;
    if (events['removeListener'] === undefined || (names.length > 0 && events[name!] === undefined)) {
      if (names.length === 0) {
        this._events = blank();
        this._eventsCount = 0;
      } else if (events[name!] !== undefined) {
        delete events[name!];
        this._eventsCount--;
      }
      return this;
    }
    if (names.length === 0) {
      for (const key of Reflect.ownKeys(events)) if (key !== 'removeListener') this.removeAllListeners(key);
      this.removeAllListeners('removeListener');
      this._events = blank();
      this._eventsCount = 0;
      return this;
    }
    for (const listener of listOf(this, name!).toReversed()) this.removeListener(name!, listener);
    return this;
  },
  listeners(this: Emitter, name: Name): Listener[] {
    return collect(this, name, true);
  },
  rawListeners(this: Emitter, name: Name): Listener[] {
    return collect(this, name, false);
  },
  listenerCount(this: Emitter, name: Name, listener?: Listener): number {
    const list = listOf(this, name);
    if (listener === undefined || listener === null) return list.length;
    return list.filter((one) => one === listener || one.listener === listener).length;
  },
  eventNames(this: Emitter): Name[] {
    return this._eventsCount > 0 ? Reflect.ownKeys(this._events!) : [];
  },
};

const statics = {
  captureRejections: false,
  usingDomains: false,
  captureRejectionSymbol: REJECTION,
  errorMonitor: ERROR_MONITOR,
  init,
  listenerCount(emitter: unknown, name: Name): number {
    const { listenerCount } = emitter as { listenerCount?: unknown };
    if (typeof listenerCount === 'function') return Reflect.apply(listenerCount, emitter, [name]) as number;
    throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
  },
};

for (const [key, value] of Object.entries({ ...methods, off: methods.removeListener })) {
  Object.defineProperty(EventEmitter.prototype, key, { value, writable: true, enumerable: true, configurable: true });
}
Object.assign(EventEmitter.prototype, { _events: undefined, _eventsCount: 0, _maxListeners: undefined });
Object.assign(EventEmitter, statics);
Object.defineProperties(EventEmitter, {
  captureRejections: {
    get: () => statics.captureRejections,
    set: (value: unknown) => {
      if (typeof value !== 'boolean') throw invalidArgType('EventEmitter.captureRejections', 'of type boolean', value);
      statics.captureRejections = value;
    },
    enumerable: true,
  },
  defaultMaxListeners: {
    get: () => defaultMaxListeners,
    set: (count: unknown) => {
      checkNumber(count, 'defaultMaxListeners', 0);
      defaultMaxListeners = count;
    },
    enumerable: true,
  },
});

export function setDefaultMaxListeners(count: number): void {
  defaultMaxListeners = count;
}
