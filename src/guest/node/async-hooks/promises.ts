/**
 * How a frame outlives `then` and `await`.
 *
 * `then` is replaced, so that callbacks run in the frame that they were given in. `await` calls no `then` that could be
 * replaced: V8 hangs the rest of the function on the promise itself. So the code of Workers that use this is amended when
 * it is uploaded (control/async-context/): `await x` becomes `await hold(x)`. `hold` hangs a callback of its own on the
 * promise, which sets the frame; the rest of the function is hung on next, and so runs right after it: reactions of one
 * promise are called in order, with nothing between them.
 */
import { bindStreams } from './streams.ts';
import { currentFrame, promiseResolve, promiseThen, setFrame, useFrames } from '../../core.ts';

type Callback = (value: unknown) => unknown;
const NativePromise = Promise;
const { then: nativeThen } = Promise.prototype;
const { apply } = Reflect;

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof NativePromise && value.constructor === NativePromise;
}

/** `value` as a promise after which the present frame is back. */
export function hold(value: unknown): Promise<unknown> {
  const frame = currentFrame();
  const promise = isPromise(value) ? value : toPromise(value, frame);
  const restore = (): void => {
    setFrame(frame);
  };
  void promiseThen(promise, restore, restore);
  return promise;
}

/** As `await` does it; only that the `then` of an object runs in the frame too. */
function toPromise(value: unknown, frame: unknown): Promise<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return promiseResolve(value);
  let then: unknown;
  try {
    ({ then } = value as { then?: unknown });
  } catch (error) {
    return NativePromise.reject(error);
  }
  if (typeof then !== 'function') return promiseResolve(value);
  return new NativePromise((resolve, reject) => {
    const call = (): void => {
      setFrame(frame);
      try {
        apply(then, value, [resolve, reject]);
      } catch (error) {
        reject(error);
      }
    };
    void promiseThen(promiseResolve(undefined), call);
  });
}

/** What `for await` and `yield*` go through: its promises are held. */
export function iterate(iterable: unknown): unknown {
  if (iterable === null || iterable === undefined) return iterable;
  const asyncMethod = (iterable as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
  if (typeof asyncMethod === 'function') {
    return {
      [Symbol.asyncIterator]: () => holdIterator(apply(asyncMethod as () => AsyncIterator<unknown>, iterable, [])),
    };
  }
  const method = (iterable as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (typeof method !== 'function') return iterable; // the engine says what is wrong with it
  return {
    [Symbol.asyncIterator]: () => holdIterator(fromSync(apply(method as () => Iterator<unknown>, iterable, []))),
  };
}

function holdIterator(iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
  const { next } = iterator;
  return {
    next: (...args) => hold(apply(next, iterator, args)) as Promise<IteratorResult<unknown>>,
    get return() {
      const method = iterator.return;
      if (method === undefined || method === null) return undefined as never;
      return (...args: unknown[]) => hold(apply(method, iterator, args)) as Promise<IteratorResult<unknown>>;
    },
    get throw() {
      const method = iterator.throw;
      if (method === undefined || method === null) return undefined as never;
      return (...args: unknown[]) => hold(apply(method, iterator, args)) as Promise<IteratorResult<unknown>>;
    },
  };
}

function fromSync(iterator: Iterator<unknown>): AsyncIterator<unknown> {
  const settle = (result: IteratorResult<unknown>, closes: boolean): Promise<IteratorResult<unknown>> => {
    const { done, value } = result;
    return promiseThen(
      promiseResolve(value),
      (settled) => ({ done: done ?? false, value: settled }),
      (error) => {
        if (closes && done !== true) iterator.return?.();
        throw error;
      },
    ) as Promise<IteratorResult<unknown>>;
  };
  const attempt = (call: () => IteratorResult<unknown>, closes: boolean): Promise<IteratorResult<unknown>> => {
    try {
      return settle(call(), closes);
    } catch (error) {
      return NativePromise.reject(error);
    }
  };
  return {
    next: (...args) => attempt(() => iterator.next(...(args as [])), true),
    return: (value) =>
      attempt(() => (iterator.return === undefined ? { done: true, value } : iterator.return(value)), false),
    throw: (error) =>
      attempt(() => {
        if (iterator.throw !== undefined) return iterator.throw(error);
        iterator.return?.();
        throw new TypeError('The iterator does not provide a throw method');
      }, true),
  };
}

/** From here on frames are kept, in this isolate. */
export function installFrames(): void {
  useFrames();
  installThen();
  bindStreams();
}

function installThen(): void {
  const wrap = (callback: unknown, frame: unknown): unknown => {
    if (typeof callback !== 'function') return callback;
    const bound: Callback = (value) => {
      const before = currentFrame();
      setFrame(frame);
      try {
        return (callback as Callback)(value);
      } finally {
        setFrame(before);
      }
    };
    return bound;
  };
  const replacement = {
    then(this: unknown, onFulfilled?: unknown, onRejected?: unknown): unknown {
      const frame = currentFrame();
      return apply(nativeThen, this as Promise<unknown>, [wrap(onFulfilled, frame), wrap(onRejected, frame)] as never);
    },
  };
  void Object.defineProperty(Promise.prototype, 'then', {
    value: replacement.then,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
