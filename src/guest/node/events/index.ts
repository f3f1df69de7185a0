/**
 * `node:events`. Called by parts/node-events.ts.
 * Promise: as Node's, for emitters and for event targets; warnings of many listeners go to the console.
 * Start at emitter.ts.
 */
import { EventTarget, loadPart } from '../../core.ts';
import type * as hooks from '../../parts/node-async-hooks.ts';
import { checkNumber, invalidArgType, nodeError } from '../errors.ts';
import { type Emitter, EventEmitter, type Listener, type Name, setDefaultMaxListeners } from './emitter.ts';

interface Signal extends EventTarget {
  readonly aborted: boolean;
  readonly reason: unknown;
}

const maxOfTargets = new WeakMap<object, number>();
type AnyEmitter = Emitter | EventTarget;

function isTarget(value: unknown): value is EventTarget {
  return value instanceof EventTarget;
}

function listen(emitter: AnyEmitter, name: Name, listener: Listener, once = false): () => void {
  if (typeof (emitter as Partial<Emitter>).on === 'function') {
    const node = emitter as Emitter;
    if (once) node.once(name, listener);
    else node.on(name, listener);
    return () => node.removeListener(name, listener);
  }
  if (!isTarget(emitter)) throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
  emitter.addEventListener(name as string, listener, { once });
  return () => {
    emitter.removeEventListener(name as string, listener);
  };
}

function abortError(signal: Signal): Error {
  const error = nodeError(Error, 'ABORT_ERR', 'The operation was aborted');
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true, enumerable: true });
  Object.defineProperty(error, 'cause', { value: signal.reason, writable: true, configurable: true });
  return error;
}

function toSignal(options: unknown): Signal | undefined {
  const signal = (options as { signal?: unknown } | null | undefined)?.signal;
  if (signal === undefined) return undefined;
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  }
  return signal as Signal;
}

async function once(emitter: AnyEmitter, name: Name, options?: unknown): Promise<unknown[]> {
  const signal = toSignal(options);
  if (signal?.aborted === true) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const stops: (() => void)[] = [];
    const settle = (end: () => void): void => {
      for (const stop of stops) stop();
      end();
    };
    stops.push(listen(emitter, name, (...args) => settle(() => resolve(args)), true));
    if (name !== 'error' && !isTarget(emitter)) {
      stops.push(listen(emitter, 'error', (error) => settle(() => reject(error)), true));
    }
    if (signal !== undefined) stops.push(listen(signal, 'abort', () => settle(() => reject(abortError(signal))), true));
  });
}

interface Waiting {
  resolve(result: IteratorResult<unknown>): void;
  reject(reason: unknown): void;
}

/** An async iterator over the events of one name. */
function on(emitter: AnyEmitter, name: Name, options?: { signal?: unknown; close?: Name[] }): AsyncIterator<unknown> {
  const signal = toSignal(options);
  if (signal?.aborted === true) throw abortError(signal);
  const events: unknown[][] = [];
  const waiting: Waiting[] = [];
  const stops: (() => void)[] = [];
  let failure: { error: unknown } | undefined;
  let finished = false;
  const finish = (): Promise<IteratorResult<unknown>> => {
    for (const stop of stops.splice(0)) stop();
    finished = true;
    for (const one of waiting.splice(0)) one.resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  };
  const fail = (error: unknown): void => {
    const first = waiting.shift();
    if (first === undefined) failure = { error };
    else first.reject(error);
    void finish();
  };
  stops.push(
    listen(emitter, name, (...args) => {
      const first = waiting.shift();
      if (first === undefined) events.push(args);
      else first.resolve({ value: args, done: false });
    }),
  );
  if (name !== 'error' && !isTarget(emitter)) stops.push(listen(emitter, 'error', fail));
  for (const close of options?.close ?? []) stops.push(listen(emitter, close, () => void finish()));
  if (signal !== undefined) stops.push(listen(signal, 'abort', () => fail(abortError(signal)), true));
  const iterator = {
    next(): Promise<IteratorResult<unknown>> {
      const event = events.shift();
      if (event !== undefined) return Promise.resolve({ value: event, done: false });
      if (failure !== undefined) {
        const { error } = failure;
        failure = undefined;
        return Promise.reject(error);
      }
      if (finished) return finish();
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return: finish,
    throw(error: unknown): Promise<IteratorResult<unknown>> {
      if (!(error instanceof Error)) throw invalidArgType('EventEmitter.AsyncIterator', 'an instance of Error', error);
      fail(error);
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator](): AsyncIterator<unknown> {
      return iterator;
    },
  };
  return iterator;
}

function getEventListeners(emitter: unknown, name: Name): unknown[] {
  const { listeners } = emitter as { listeners?: unknown };
  if (typeof listeners === 'function') return Reflect.apply(listeners, emitter, [name]) as unknown[];
  if (isTarget(emitter)) return [];
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
}

function getMaxListeners(emitter: unknown): number {
  const { getMaxListeners: ofEmitter } = emitter as { getMaxListeners?: unknown };
  if (typeof ofEmitter === 'function') return Reflect.apply(ofEmitter, emitter, []) as number;
  if (isTarget(emitter)) return maxOfTargets.get(emitter) ?? 10;
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitter);
}

function setMaxListeners(count: unknown = 10, ...emitters: unknown[]): void {
  checkNumber(count, 'setMaxListeners', 0);
  if (emitters.length === 0) setDefaultMaxListeners(count);
  for (const emitter of emitters) {
    if (isTarget(emitter)) maxOfTargets.set(emitter, count);
    else if (typeof (emitter as { setMaxListeners?: unknown } | null)?.setMaxListeners === 'function') {
      (emitter as { setMaxListeners(count: number): void }).setMaxListeners(count);
    } else throw invalidArgType('eventTargets', 'an instance of EventEmitter or EventTarget', emitter);
  }
}

function addAbortListener(signal: Signal, listener: Listener): Disposable {
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw invalidArgType('signal', 'an instance of AbortSignal', signal);
  }
  if (typeof listener !== 'function') throw invalidArgType('listener', 'of type function', listener);
  let stop: (() => void) | undefined;
  if (signal.aborted) queueMicrotask(() => void listener());
  else stop = listen(signal, 'abort', listener, true);
  return { [Symbol.dispose]: () => stop?.() };
}

interface Resource {
  runInAsyncScope(callback: unknown, receiver: unknown, ...args: unknown[]): unknown;
  emitDestroy(): void;
}

const resources = new WeakMap<object, Resource>();

/** Each of its listeners runs where the emitter was made. A function, since its other parent is loaded when one is made. */
function EventEmitterAsyncResource(options?: { name?: string }): object {
  if (new.target === undefined)
    throw new TypeError("Class constructor EventEmitterAsyncResource cannot be invoked without 'new'");
  const { AsyncResource } = (loadPart('node-async-hooks') as typeof hooks).asyncHooks;
  const emitter = Reflect.construct(EventEmitter, [options], new.target) as object;
  resources.set(emitter, new AsyncResource(options?.name ?? new.target.name));
  return emitter;
}
EventEmitterAsyncResource.prototype = Object.create(EventEmitter.prototype as object, {
  constructor: { value: EventEmitterAsyncResource, writable: true, configurable: true },
  asyncResource: {
    get(this: object) {
      return resources.get(this);
    },
    configurable: true,
  },
  emit: {
    value(this: object, ...args: unknown[]): unknown {
      const { emit } = EventEmitter.prototype as Emitter;
      return resources.get(this)!.runInAsyncScope(emit, this, ...args);
    },
    writable: true,
    configurable: true,
  },
  emitDestroy: {
    value(this: object): void {
      resources.get(this)!.emitDestroy();
    },
    writable: true,
    configurable: true,
  },
}) as object;
Object.setPrototypeOf(EventEmitterAsyncResource, EventEmitter);

Object.assign(EventEmitter, {
  once,
  on,
  getEventListeners,
  getMaxListeners,
  setMaxListeners,
  addAbortListener,
  EventEmitter,
  EventEmitterAsyncResource,
});

export { EventEmitter };
