/** Between Node's streams and those of the Web. */
// oxlint-disable-next-line no-restricted-imports -- types alone: there is no Node
import type { Duplex, Readable, Writable } from 'node:stream';
import { type ReadableStream, streams, type WritableStream } from '../../core.ts';

type Make<T> = new (options: object) => T;
type Done = (error?: Error | null) => void;
type Source = ReadableStream<unknown>;
type Sink = WritableStream<unknown>;

interface Options {
  readonly objectMode?: boolean;
  readonly encoding?: string;
  readonly highWaterMark?: number;
  readonly signal?: unknown;
}

/** The bytes of a part of a Buffer's memory would be all of it. */
function toChunk(value: unknown): unknown {
  return value instanceof Uint8Array && value.constructor !== Uint8Array
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : value;
}

function readFrom(source: Source): { read(this: Readable): void; destroy(error: Error | null, done: Done): void } {
  const reader = source.getReader();
  let isClosed = false;
  void reader.closed.then(
    () => (isClosed = true),
    () => (isClosed = true),
  );
  return {
    read() {
      reader.read().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: unknown) => this.destroy(error as Error),
      );
    },
    destroy(error, done) {
      if (isClosed) return done(error);
      reader.cancel(error).then(
        () => done(error),
        (reason: unknown) => done(error ?? (reason as Error)),
      );
    },
  };
}

function writeTo(sink: Sink): {
  write(chunk: unknown, encoding: unknown, done: Done): void;
  final(done: Done): void;
  destroy(error: Error | null, done: Done): void;
} {
  const writer = sink.getWriter();
  let isClosed = false;
  writer.closed.then(
    () => (isClosed = true),
    () => (isClosed = true),
  );
  const settle = (promise: Promise<unknown>, done: Done): void => {
    promise.then(
      () => done(),
      (error: unknown) => done(error as Error),
    );
  };
  return {
    write: (chunk, _encoding, done) =>
      settle(
        writer.ready.then(() => writer.write(toChunk(chunk))),
        done,
      ),
    final: (done) => settle(writer.close(), done),
    destroy(error, done) {
      if (isClosed || error === null) return done(error);
      writer.abort(error).then(
        () => done(error),
        () => done(error),
      );
    },
  };
}

export function readableFromWeb(Type: Make<Readable>, source: Source, options: Options = {}): Readable {
  const { objectMode = false, encoding, highWaterMark, signal } = options;
  return new Type({ objectMode, encoding, highWaterMark, signal, ...readFrom(source) });
}

export function writableFromWeb(Type: Make<Writable>, sink: Sink, options: Options = {}): Writable {
  const { objectMode = false, highWaterMark, signal } = options;
  return new Type({ objectMode, highWaterMark, signal, ...writeTo(sink) });
}

export function duplexFromWeb(
  Type: Make<Duplex>,
  pair: { readable: Source; writable: Sink },
  options: Options = {},
): Duplex {
  const source = readFrom(pair.readable);
  const sink = writeTo(pair.writable);
  return new Type({
    ...options,
    read: source.read,
    write: sink.write,
    final: sink.final,
    destroy(error: Error | null, done: Done) {
      sink.destroy(error, () => source.destroy(error, done));
    },
  });
}

export function readableToWeb(readable: Readable): Source {
  const isBytes = !readable.readableObjectMode;
  return new (streams().ReadableStream)(
    {
      start(controller) {
        readable.pause();
        readable.on('data', (chunk: unknown) => {
          controller.enqueue(isBytes ? toChunk(chunk) : chunk);
          if ((controller.desiredSize ?? 0) <= 0) readable.pause();
        });
        readable.once('end', () => controller.close());
        readable.once('error', (error) => controller.error(error));
        readable.once('close', () => {
          if (!readable.readableEnded && readable.errored === null) {
            controller.error(Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
          }
        });
      },
      pull() {
        readable.resume();
      },
      cancel(reason: unknown) {
        readable.destroy(reason as Error);
      },
    },
    { highWaterMark: isBytes ? 1 : readable.readableHighWaterMark },
  );
}

export function writableToWeb(writable: Writable): Sink {
  let fail: ((error: unknown) => void) | undefined;
  return new (streams().WritableStream)({
    start(controller) {
      writable.on('error', (error) => {
        controller.error(error);
        fail?.(error);
      });
    },
    write(chunk) {
      if (writable.write(chunk)) return undefined;
      return new Promise<void>((resolve, reject) => {
        fail = reject;
        writable.once('drain', resolve);
      });
    },
    close() {
      return new Promise<void>((resolve, reject) => {
        fail = reject;
        writable.end(resolve);
      });
    },
    abort(reason: unknown) {
      writable.destroy(reason as Error);
    },
  });
}
