/** Streams as the runtime itself uses them: past the public methods, which a tenant may have replaced. */
import { promiseThen, reflectApply } from '../shared.ts';
import { ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStream } from './web-streams.ts';

export type ByteStream = ReadableStream<Uint8Array>;

/** A locked stream: its reader. */
export interface Reader {
  read(): Promise<ReadResult>;
  cancel(reason: unknown): Promise<void>;
}
export interface ReadResult {
  readonly done: boolean;
  readonly value: unknown;
}
export interface ByteController {
  enqueue(bytes: Uint8Array): void;
  close(): void;
}

const { getReader, tee } = ReadableStream.prototype;
const { read, cancel } = ReadableStreamDefaultReader.prototype;
const locked = Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked')!.get!;

export function isReadable(value: unknown): value is ByteStream {
  return typeof value === 'object' && value instanceof ReadableStream && '_readableStreamController' in value;
}

export function isAnyStream(value: object): boolean {
  return value instanceof ReadableStream || value instanceof WritableStream || value instanceof TransformStream;
}

export function isLocked(stream: ByteStream): boolean {
  return reflectApply(locked, stream, []) as boolean;
}

export function lock(stream: ByteStream): Reader {
  const reader: unknown = reflectApply(getReader as () => unknown, stream, []);
  return {
    read: () => reflectApply(read, reader, []) as Promise<ReadResult>,
    cancel: (reason) => reflectApply(cancel, reader, [reason]),
  };
}

/** Cancels; whatever comes of it is nobody's business any more. */
export function cancelQuietly(reader: Reader, reason: unknown): void {
  void promiseThen(reader.cancel(reason), ignore, ignore);
}

export function teeBytes(stream: ByteStream): [ByteStream, ByteStream] {
  return reflectApply(tee as () => unknown, stream, []) as [ByteStream, ByteStream];
}

export function createByteStream(
  pull: (controller: ByteController) => void | Promise<void>,
  onCancel: (reason: unknown) => void,
): ByteStream {
  return new ReadableStream({ type: 'bytes', pull, cancel: onCancel }, { highWaterMark: 0 }) as ByteStream;
}

function ignore(): void {}
