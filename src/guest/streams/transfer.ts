/**
 * Transfer of streams. Both ends are in the same isolate: where the standard sends chunks through a MessagePort, the
 * new stream takes them from the old one, which stays locked, and copies each.
 */
import { NativePromise, promiseThen, reflectApply, structuredClone, type Transferable } from '../shared.ts';
import { cancelQuietly, isAnyStream, isLocked, isReadable, lock } from './access.ts';
import { ReadableStream, TransformStream, WritableStream, WritableStreamDefaultWriter } from './web-streams.ts';

const { getWriter } = WritableStream.prototype;
const { write, close, abort } = WritableStreamDefaultWriter.prototype;
const isWriterLocked = Object.getOwnPropertyDescriptor(WritableStream.prototype, 'locked')!.get!;

export const transferableStreams: Transferable = {
  isOne: isAnyStream,
  obstacle: (stream) => {
    const parts = stream instanceof TransformStream ? [stream.readable, stream.writable] : [stream];
    const isTaken = parts.some((part) =>
      part instanceof ReadableStream ? isLocked(part as never) : (reflectApply(isWriterLocked, part, []) as boolean),
    );
    return isTaken ? 'A locked stream cannot be transferred' : undefined;
  },
  transfer: (stream) => {
    if (isReadable(stream)) return transferReadable(stream);
    if (stream instanceof WritableStream) return transferWritable(stream);
    const { readable, writable } = stream as TransformStream;
    const made = new TransformStream();
    const sides = { readable: transferReadable(readable), writable: transferWritable(writable) };
    for (const key of ['readable', 'writable'] as const) {
      Object.defineProperty(made, `_${key}`, { value: sides[key], writable: true, configurable: true });
    }
    return made;
  },
};

function transferReadable(stream: ReadableStream): ReadableStream {
  const reader = lock(stream as never);
  return new ReadableStream(
    {
      pull: (controller) =>
        new NativePromise<void>((resolve, reject) => {
          reader.read({
            chunk: (value) => {
              try {
                controller.enqueue(copy(value, (error) => cancelQuietly(reader, error)));
                resolve();
              } catch (error) {
                reject(error);
              }
            },
            close: () => {
              controller.close();
              resolve();
            },
            error: reject,
          });
        }),
      cancel: (reason: unknown) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function transferWritable(stream: WritableStream): WritableStream {
  const writer: unknown = reflectApply(getWriter, stream, []);
  const stop = (error: unknown): void => {
    void promiseThen(reflectApply(abort, writer, [error]), undefined, () => {});
  };
  return new WritableStream({
    write: (chunk: unknown) => reflectApply(write as (chunk: unknown) => Promise<void>, writer, [copy(chunk, stop)]),
    close: () => reflectApply(close, writer, []),
    abort: (reason: unknown) => reflectApply(abort, writer, [reason]),
  });
}

/** A chunk that cannot be copied ends the old stream too. */
function copy(chunk: unknown, onError: (error: unknown) => void): unknown {
  try {
    return structuredClone(chunk);
  } catch (error) {
    onError(error);
    throw error;
  }
}
