/** Streams call `pull`, `write` and `transform` when they like: in the frame in which the stream was made. */
import { bindFrame, replaceConstructor } from '../../core.ts';

type Constructor = new (...args: unknown[]) => object;

const CALLBACKS: Readonly<Record<string, readonly string[]>> = {
  ReadableStream: ['pull', 'cancel'],
  WritableStream: ['write', 'close', 'abort'],
  TransformStream: ['transform', 'flush', 'cancel'],
};

/** For the constructors on the global, at once or when they get there. */
export function bindStreams(): void {
  for (const [name, callbacks] of Object.entries(CALLBACKS)) {
    const { get, ...rest } = Object.getOwnPropertyDescriptor(globalThis, name)!;
    const put = (original: Constructor): Constructor => {
      const value = bindConstructor(original, name, callbacks);
      Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
      return value;
    };
    if (get === undefined) put(rest.value as Constructor);
    else {
      Object.defineProperty(globalThis, name, {
        ...rest,
        get: () => put(Reflect.apply(get, globalThis, []) as Constructor),
      });
    }
  }
}

function bindConstructor(original: Constructor, name: string, callbacks: readonly string[]): Constructor {
  function Stream(this: unknown, ...args: unknown[]): object {
    if (new.target === undefined) throw new TypeError(`Constructor ${name} requires 'new'`);
    const [source, ...strategies] = args;
    const given =
      typeof source === 'object' && source !== null ? [bindCallbacks(source, callbacks), ...strategies] : args;
    return Reflect.construct(original, given, new.target === Stream ? original : new.target) as object;
  }
  replaceConstructor(name, original, Stream, null);
  return Stream as unknown as Constructor;
}

function bindCallbacks(source: object, callbacks: readonly string[]): object {
  const bound = Object.create(source) as object;
  for (const name of callbacks) {
    const callback: unknown = Reflect.get(source, name);
    if (typeof callback !== 'function') continue;
    const value = bindFrame((...args: never[]): unknown => Reflect.apply(callback, source, args));
    Object.defineProperty(bound, name, { value, configurable: true });
  }
  return bound;
}
