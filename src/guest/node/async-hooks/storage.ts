/** `AsyncLocalStorage` and `AsyncResource`: values kept in the frame of the runtime (runtime/frames.ts). */
import { bindFrame, currentFrame, setFrame } from '../../core.ts';
import { checkFunction, checkString } from '../errors.ts';

type Fn = (this: unknown, ...args: never[]) => unknown;
/** Never changed once made: whoever holds one keeps what it held. */
type Frame = ReadonlyMap<AsyncLocalStorage, unknown> | undefined;

function frameWith(storage: AsyncLocalStorage, store: unknown): Frame {
  return new Map(currentFrame() as Frame).set(storage, store);
}

function runIn(frame: unknown, callback: Fn, receiver: unknown, args: readonly unknown[]): unknown {
  const before = currentFrame();
  setFrame(frame);
  try {
    return Reflect.apply(callback, receiver, args as never);
  } finally {
    setFrame(before);
  }
}

export class AsyncLocalStorage {
  readonly name: string;
  readonly #default: unknown;

  constructor(options?: { defaultValue?: unknown; name?: unknown }) {
    this.#default = options?.defaultValue;
    this.name = options?.name === undefined ? '' : String(options.name);
  }

  static bind(callback: Fn): Fn {
    checkFunction(callback, 'fn');
    return bindFrame(callback);
  }

  static snapshot(): Fn {
    const frame = currentFrame();
    return function (this: unknown, callback: Fn, ...args: unknown[]): unknown {
      return runIn(frame, callback, this, args);
    };
  }

  getStore(): unknown {
    const frame = currentFrame() as Frame;
    return frame?.has(this) === true ? frame.get(this) : this.#default;
  }

  run(store: unknown, callback: Fn, ...args: unknown[]): unknown {
    return runIn(frameWith(this, store), callback, null, args);
  }

  exit(callback: Fn, ...args: unknown[]): unknown {
    return this.run(undefined, callback, ...args);
  }

  enterWith(store: unknown): void {
    setFrame(frameWith(this, store));
  }

  disable(): void {
    const frame = new Map(currentFrame() as Frame);
    frame.delete(this);
    setFrame(frame);
  }
}

let lastId = 1;

export class AsyncResource {
  readonly #frame = currentFrame();
  readonly #id = ++lastId;

  constructor(type: unknown, _options?: unknown) {
    checkString(type, 'type');
  }

  static bind(callback: Fn, type?: string, receiver?: unknown): Fn {
    return new AsyncResource(type ?? (callback.name === '' ? 'bound-anonymous-fn' : callback.name)).bind(
      callback,
      receiver,
    );
  }

  bind(callback: Fn, receiver?: unknown): Fn {
    checkFunction(callback, 'fn');
    const frame = this.#frame;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return runIn(frame, callback, receiver === undefined ? this : receiver, args);
    };
    Object.defineProperty(bound, 'length', { value: callback.length, configurable: true });
    return bound;
  }

  runInAsyncScope(callback: Fn, receiver?: unknown, ...args: unknown[]): unknown {
    return runIn(this.#frame, callback, receiver, args);
  }

  emitDestroy(): this {
    return this;
  }

  asyncId(): number {
    return this.#id;
  }

  triggerAsyncId(): number {
    return 0;
  }
}
