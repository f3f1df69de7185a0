/** `node:timers`: the runtime's timers, as objects. */
import {
  clearInterval as stopInterval,
  clearTimeout as stopTimeout,
  setInterval as startInterval,
  setTimeout as startTimeout,
} from '../../core.ts';
import { checkFunction, invalidArgType, nodeError } from '../errors.ts';

const PROMISIFY = Symbol.for('nodejs.util.promisify.custom');
type Callback = (...args: unknown[]) => void;

export class Timeout {
  readonly #callback: Callback;
  readonly #delay: number;
  readonly #args: unknown[];
  readonly #repeats: boolean;
  #id: number;
  #referenced = true;

  constructor(callback: Callback, delay: unknown, args: unknown[], repeats: boolean) {
    const ms = Number(delay);
    this.#callback = callback;
    this.#delay = ms >= 1 && ms <= 0x7fffffff ? Math.trunc(ms) : 1;
    this.#args = args;
    this.#repeats = repeats;
    this.#id = this.#start();
  }

  #start(): number {
    const start = this.#repeats ? startInterval : startTimeout;
    return start(this.#callback.bind(this), this.#delay, ...this.#args);
  }

  ref(): this {
    this.#referenced = true;
    return this;
  }

  unref(): this {
    this.#referenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  refresh(): this {
    stopTimeout(this.#id);
    this.#id = this.#start();
    return this;
  }

  close(): this {
    stopTimeout(this.#id);
    return this;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export class Immediate {
  readonly #id: number;
  #referenced = true;

  constructor(callback: Callback, args: unknown[]) {
    this.#id = startTimeout(callback, 0, ...args);
  }

  ref(): this {
    this.#referenced = true;
    return this;
  }

  unref(): this {
    this.#referenced = false;
    return this;
  }

  hasRef(): boolean {
    return this.#referenced;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    stopTimeout(this.#id);
  }
}

function setTimeout(callback: unknown, delay?: unknown, ...args: unknown[]): Timeout {
  checkFunction(callback, 'callback');
  return new Timeout(callback as Callback, delay, args, false);
}

function setInterval(callback: unknown, delay?: unknown, ...args: unknown[]): Timeout {
  checkFunction(callback, 'callback');
  return new Timeout(callback as Callback, delay, args, true);
}

export function setImmediate(callback: unknown, ...args: unknown[]): Immediate {
  checkFunction(callback, 'callback');
  return new Immediate(callback as Callback, args);
}

export function clearImmediate(immediate: unknown): void {
  if (immediate instanceof Immediate) immediate[Symbol.dispose]();
}

function clearTimeout(timeout: unknown): void {
  if (timeout !== undefined && timeout !== null) stopTimeout(Number(timeout));
}

function clearInterval(timeout: unknown): void {
  if (timeout !== undefined && timeout !== null) stopInterval(Number(timeout));
}

interface WaitOptions {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

function waitWith(start: (done: () => void) => () => void, value: unknown, options: unknown): Promise<unknown> {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    return Promise.reject(invalidArgType('options', 'of type object', options));
  }
  const { signal } = (options ?? {}) as WaitOptions;
  if (signal?.aborted === true) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      stop();
      reject(abortError(signal!));
    };
    const stop = start(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortError(signal: AbortSignal): Error {
  const error = nodeError(Error, 'ABORT_ERR', 'The operation was aborted');
  error.name = 'AbortError';
  Object.defineProperty(error, 'cause', { value: signal.reason as unknown, writable: true, configurable: true });
  return error;
}

const promised = {
  setTimeout(delay?: unknown, value?: unknown, options?: unknown): Promise<unknown> {
    return waitWith(
      (done) => {
        const timeout = new Timeout(done, delay, [], false);
        return () => void timeout.close();
      },
      value,
      options,
    );
  },
  setImmediate(value?: unknown, options?: unknown): Promise<unknown> {
    return waitWith(
      (done) => {
        const immediate = new Immediate(done, []);
        return () => immediate[Symbol.dispose]();
      },
      value,
      options,
    );
  },
  async *setInterval(delay?: unknown, value?: unknown, options?: WaitOptions): AsyncGenerator {
    const signal = options?.signal;
    if (signal?.aborted === true) throw abortError(signal);
    let due = 0;
    let wake: (() => void) | undefined;
    const timeout = new Timeout(
      () => {
        due++;
        wake?.();
      },
      delay,
      [],
      true,
    );
    signal?.addEventListener('abort', () => wake?.(), { once: true });
    try {
      for (;;) {
        signal?.throwIfAborted();
        // oxlint-disable-next-line no-await-in-loop -- one tick after the other
        if (due === 0) await new Promise<void>((resolve) => (wake = resolve));
        for (; due > 0; due--) yield value;
      }
    } finally {
      timeout.close();
    }
  },
  scheduler: {
    wait: (delay: unknown, options?: unknown): Promise<unknown> => promised.setTimeout(delay, undefined, options),
    yield: (): Promise<unknown> => promised.setImmediate(),
  },
};

Object.defineProperty(setTimeout, PROMISIFY, { get: () => promised.setTimeout });
Object.defineProperty(setImmediate, PROMISIFY, { get: () => promised.setImmediate });

export const timersPromises: object = promised;
export const timers: object = {
  clearImmediate,
  clearInterval,
  clearTimeout,
  promises: promised,
  setImmediate,
  setInterval,
  setTimeout,
};
