/** Hashes and ciphers are streams in Node, which few programs use them as: the stream is made when it is first needed. */
// oxlint-disable-next-line no-restricted-imports -- types alone: there is no Node
import type { Transform } from 'node:stream';
import { loadPart } from '../../core.ts';
import type * as streams from '../../parts/node-stream.ts';

type Options = NonNullable<ConstructorParameters<typeof Transform>[0]>;

const METHODS = [
  'addListener',
  'cork',
  'destroy',
  'emit',
  'end',
  'eventNames',
  'getMaxListeners',
  'isPaused',
  'listenerCount',
  'listeners',
  'off',
  'on',
  'once',
  'pause',
  'pipe',
  'prependListener',
  'prependOnceListener',
  'push',
  'rawListeners',
  'read',
  'removeAllListeners',
  'removeListener',
  'resume',
  'setDefaultEncoding',
  'setEncoding',
  'setMaxListeners',
  'uncork',
  'unpipe',
  'unshift',
  'write',
  Symbol.asyncIterator,
] as const;
const PROPERTIES = [
  '_events',
  '_eventsCount',
  '_readableState',
  '_writableState',
  'closed',
  'destroyed',
  'errored',
  'readable',
  'readableEnded',
  'readableFlowing',
  'readableObjectMode',
  'writable',
  'writableEnded',
  'writableFinished',
  'writableLength',
  'writableNeedDrain',
  'writableObjectMode',
] as const;

const made = new WeakMap<object, Transform>();

/** Gives a class the methods of a Transform. `options` says what the stream of an object does. */
export function makeStreamed<T extends object>(type: { prototype: T }, options: (self: T) => Options): void {
  const streamOf = (self: T): Transform => {
    let stream = made.get(self);
    if (stream === undefined) {
      const { Transform } = (loadPart('node-stream') as typeof streams).stream;
      stream = new Transform(options(self));
      made.set(self, stream);
    }
    return stream;
  };
  for (const name of METHODS) {
    const value = function (this: T, ...args: unknown[]): unknown {
      const stream = streamOf(this);
      const result: unknown = Reflect.apply(Reflect.get(stream, name) as () => unknown, stream, args);
      return result === stream ? this : result;
    };
    Object.defineProperty(type.prototype, name, { value, writable: true, configurable: true });
  }
  for (const name of PROPERTIES) {
    Object.defineProperty(type.prototype, name, {
      get(this: T) {
        return Reflect.get(streamOf(this), name) as unknown;
      },
      configurable: true,
    });
  }
}
