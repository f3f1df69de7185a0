/**
 * Streams: the polyfill's classes with their one divergence mended, and the two byte streams of the Workers API.
 * `isDisturbed` and `fixedLength` tell fetch/ what the public surface does not.
 */
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill';
import {
  addAbortAlgorithm,
  type Bytes,
  copyBytes,
  defineInterface,
  isAbortSignal,
  objectDefineProperty,
  objectGetPrototypeOf,
  objectSetPrototypeOf,
  promiseResolve,
  promiseThen,
  reflectApply,
  reflectOwnKeys,
} from '../shared.ts';

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};

// The polyfill's iterators must inherit from %AsyncIteratorPrototype% (Web IDL, asynchronous iterator prototype object).
const asyncGenerator = objectGetPrototypeOf(async function* () {}) as { prototype: object };
const asyncIteratorPrototype = objectGetPrototypeOf(asyncGenerator.prototype) as object;

interface Pair {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<unknown>;
}

/** The polyfill's name for how a controller answers a read. */
export const PULL_STEPS = findSymbol(ReadableStreamDefaultController.prototype, 'Symbol([[PullSteps]])');

const fixedLengths = new WeakMap<object, number>();

/** Has the stream been read from or cancelled? */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { _disturbed: boolean })._disturbed;
}

/** How many bytes a stream will give if it is the readable side of a FixedLengthStream. */
export function fixedLength(stream: ReadableStream): number | undefined {
  return fixedLengths.get(stream);
}

/** Hands bytes through unchanged, one write for one read; its readable side is a byte stream. */
export class IdentityTransformStream {
  readonly #pair: Pair;

  constructor() {
    this.#pair = createPair(undefined);
  }

  get readable(): ReadableStream<Bytes> {
    return this.#pair.readable;
  }

  get writable(): WritableStream<unknown> {
    return this.#pair.writable;
  }
}

/** An identity stream that errors unless exactly `length` bytes are written: its body has a Content-Length. */
export class FixedLengthStream {
  readonly #pair: Pair;

  constructor(length: number | bigint) {
    const bytes = Number(length);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new TypeError(
        `Cannot make a FixedLengthStream: length is ${String(length)}, must be an integer of 0 or more`,
      );
    }
    this.#pair = createPair(bytes);
    fixedLengths.set(this.#pair.readable, bytes);
  }

  get readable(): ReadableStream<Bytes> {
    return this.#pair.readable;
  }

  get writable(): WritableStream<unknown> {
    return this.#pair.writable;
  }
}

// As in Workers, both are TransformStreams to `instanceof`; a real one below them would cost its set-up for nothing.
objectSetPrototypeOf(FixedLengthStream, IdentityTransformStream);
objectSetPrototypeOf(FixedLengthStream.prototype, IdentityTransformStream.prototype);
objectSetPrototypeOf(IdentityTransformStream, TransformStream);
objectSetPrototypeOf(IdentityTransformStream.prototype, TransformStream.prototype);
defineInterface(IdentityTransformStream, 'IdentityTransformStream');
defineInterface(FixedLengthStream, 'FixedLengthStream');
patchIterator();
patchPipe();

function createPair(length: number | undefined): Pair {
  let remaining = length ?? Infinity;
  let reader: ReadableByteStreamController | undefined;
  let writer: WritableStreamDefaultController | undefined;
  let wanted = Promise.withResolvers<void>();
  let taken: PromiseWithResolvers<void> | undefined;
  let ended = false; // one side has gone: a write that waits for a reader must not wait on

  const fail = (error: unknown): never => {
    reader?.error(error);
    throw error;
  };
  const readable = new ReadableStream<Bytes>(
    {
      type: 'bytes',
      start(controller) {
        reader = controller;
      },
      pull() {
        wanted.resolve();
        taken ??= Promise.withResolvers<void>();
        return taken.promise;
      },
      cancel(reason: unknown) {
        ended = true;
        writer?.error(reason);
        wanted.resolve();
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<unknown>({
    start(controller) {
      writer = controller;
      // The polyfill makes it with the global AbortController of the day, which the tenant may have replaced.
      const signal: unknown = controller.signal;
      if (!isAbortSignal(signal)) return;
      addAbortAlgorithm(signal, () => {
        ended = true;
        wanted.resolve();
      });
    },
    async write(chunk) {
      const bytes = copyBytes(chunk);
      if (bytes === undefined) {
        return fail(new TypeError('This stream takes bytes: write an ArrayBuffer or a view on one'));
      }
      if (bytes.length === 0) return undefined;
      remaining -= bytes.length;
      if (remaining < 0) return fail(new TypeError('Attempt to write too many bytes through a FixedLengthStream.'));
      await wanted.promise;
      if (ended) return undefined;
      wanted = Promise.withResolvers<void>();
      const { resolve } = taken as PromiseWithResolvers<void>;
      taken = undefined;
      reader?.enqueue(bytes);
      resolve();
      return undefined;
    },
    close() {
      if (length !== undefined && remaining > 0) {
        return fail(new TypeError('FixedLengthStream did not see all expected bytes before close().'));
      }
      reader?.close();
      reader?.byobRequest?.respond(0);
      taken?.resolve();
      return undefined;
    },
    abort(reason) {
      reader?.error(reason);
      taken?.resolve();
    },
  });
  return { readable, writable };
}

interface ReadRequest {
  _chunkSteps(chunk: unknown): void;
  _closeSteps(): void;
  _errorSteps(reason: unknown): void;
}
interface PolyfilledController {
  readonly _controlledReadableStream: PolyfilledStream;
  readonly _queue: { readonly length: number };
  [pullSteps: symbol]: (request: ReadRequest) => void;
}
interface PolyfilledStream {
  readonly _reader: { isPipe?: boolean } | undefined;
}

/**
 * The polyfill hands a chunk that a pipe waits for to the destination while `enqueue` still runs. The standard gives it
 * a microtask of its own: https://github.com/whatwg/streams/issues/1298.
 */
function patchPipe(): void {
  let isPiping = false;
  const { prototype } = ReadableStream;
  const wrap = (name: 'pipeTo' | 'pipeThrough'): void => {
    const native = prototype[name] as (...given: unknown[]) => unknown;
    const piping = {
      [name](this: PolyfilledStream, _destination: unknown): unknown {
        const isStream = (this as unknown) instanceof ReadableStream;
        const before = isStream ? this._reader : undefined;
        isPiping = true; // its first read comes at once
        try {
          return reflectApply(native, this, arguments);
        } finally {
          isPiping = false;
          const after = isStream ? this._reader : undefined;
          if (after !== before && after !== undefined) after.isPipe = true;
        }
      },
    };
    objectDefineProperty(prototype, name, {
      value: piping[name],
      writable: true,
      enumerable: true,
      configurable: true,
    });
  };
  wrap('pipeTo');
  wrap('pipeThrough');
  const controller = ReadableStreamDefaultController.prototype as unknown as PolyfilledController;
  const nativePull = controller[PULL_STEPS]!;
  controller[PULL_STEPS] = function pull(this: PolyfilledController, request: ReadRequest): void {
    const isLate = (isPiping || this._controlledReadableStream._reader?.isPipe === true) && this._queue.length === 0;
    reflectApply(nativePull, this, [isLate ? later(request) : request]);
  };
}

/** Nothing here may go by a method or an iterator: when the part is loaded a tenant may have replaced them. */
function findSymbol(prototype: object, text: string): symbol {
  const keys = reflectOwnKeys(prototype);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    if (typeof key === 'symbol' && String(key) === text) return key;
  }
  throw new Error(`The polyfill has no ${text}`);
}

function later(request: ReadRequest): ReadRequest {
  return {
    _chunkSteps: (chunk) => void promiseThen(promiseResolve(undefined), () => request._chunkSteps(chunk)),
    _closeSteps: () => request._closeSteps(),
    _errorSteps: (reason) => request._errorSteps(reason),
  };
}

function patchIterator(): void {
  const iterator = new ReadableStream().values();
  objectSetPrototypeOf(objectGetPrototypeOf(iterator) as object, asyncIteratorPrototype);
}
