/** Streams as the runtime itself uses them: past the public methods, which a tenant may have replaced. */
import type { UnderlyingSource } from 'web-streams-polyfill';
import { NativePromise, promiseThen, reflectApply, structuredClone } from '../shared.ts';
import {
  PULL_STEPS,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamDefaultReader,
  TransformStream,
  WritableStream,
} from './web-streams.ts';

export type ByteStream = ReadableStream<Uint8Array>;

/** A locked stream: its reader. */
export interface Reader {
  /** Asks for the next chunk. Exactly one of the steps is called, maybe at once. */
  read(steps: ReadSteps): void;
  cancel(reason: unknown): Promise<void>;
}
/** The standard's "read request": no promise is made, so that none of the tenant's `then` can come between. */
export interface ReadSteps {
  chunk(value: unknown): void;
  close(): void;
  error(reason: unknown): void;
}
export interface ByteController {
  enqueue(bytes: Uint8Array): void;
  close(): void;
}

const { getReader, tee } = ReadableStream.prototype;
const { cancel } = ReadableStreamDefaultReader.prototype;
const locked = Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked')!.get!;

/** What the polyfill calls a read request. */
interface ReadRequest {
  _chunkSteps(chunk: unknown): void;
  _closeSteps(): void;
  _errorSteps(reason: unknown): void;
}
interface Controller {
  [pullSteps: symbol]: (request: ReadRequest) => void;
}
interface StreamState {
  _disturbed: boolean;
  readonly _state: 'readable' | 'closed' | 'errored';
  readonly _storedError: unknown;
  readonly _readableStreamController: Controller;
}

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
    read: (steps) => {
      const state = stream as unknown as StreamState;
      state._disturbed = true;
      if (state._state === 'closed') steps.close();
      else if (state._state === 'errored') steps.error(state._storedError);
      else state._readableStreamController[PULL_STEPS]!(toRequest(steps));
    },
    cancel: (reason) => reflectApply(cancel, reader, [reason]),
  };
}

/** Cancels; whatever comes of it is nobody's business any more. */
export function cancelQuietly(reader: Reader, reason: unknown): void {
  void promiseThen(reader.cancel(reason), ignore, ignore);
}

/** Two streams in place of one. The second has chunks of its own: Fetch, "clone a body". */
export function teeBody(stream: ByteStream): [ByteStream, ByteStream] {
  const [first, second] = reflectApply(tee as () => unknown, stream, []) as [ByteStream, ByteStream];
  const { _readableStreamController: controller } = stream as unknown as StreamState;
  // A byte stream copies by itself.
  return [first, controller instanceof ReadableByteStreamController ? second : cloning(second)];
}

function cloning(stream: ByteStream): ByteStream {
  const reader = lock(stream);
  const source: UnderlyingSource<Uint8Array> = {
    pull: (controller) =>
      new NativePromise<void>((resolve, reject) => {
        reader.read({
          chunk: (value) => {
            try {
              controller.enqueue(structuredClone(value) as Uint8Array);
              resolve();
            } catch (error) {
              cancelQuietly(reader, error);
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
    cancel: (reason) => reader.cancel(reason),
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

function toRequest(steps: ReadSteps): ReadRequest {
  return {
    _chunkSteps: (chunk) => steps.chunk(chunk),
    _closeSteps: () => steps.close(),
    _errorSteps: (reason) => steps.error(reason),
  };
}

export function createByteStream(
  pull: (controller: ByteController) => void | Promise<void>,
  onCancel: (reason: unknown) => void,
): ByteStream {
  return new ReadableStream({ type: 'bytes', pull, cancel: onCancel }, { highWaterMark: 0 }) as ByteStream;
}

function ignore(): void {}
