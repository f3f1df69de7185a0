/** `crypto.DigestStream`, which Workers have beside the standard: a stream that hashes what is written to it. */
import {
  ask,
  askSync,
  bytesSlice,
  defineInterface,
  NativePromise,
  promiseThen,
  requireArguments,
  toDOMString,
  toUSVString,
  typedArrayByteLength,
  utf8Encode,
  viewBytes,
  WritableStream,
} from '../core.ts';
import type { UnderlyingSink } from 'web-streams-polyfill';
import { isObject } from './convert.ts';
import { createHandle, freeHandles, type Handle } from './handles.ts';

const MAX_AT_ONCE_BYTES = 64 * 1024; // hashed in 40 us by SHA-256; what is longer, the host takes in turns with others

interface Outcome {
  readonly promise: Promise<ArrayBuffer>;
  readonly resolve: (digest: ArrayBuffer) => void;
  readonly reject: (reason: unknown) => void;
}

interface State {
  readonly handle: Handle;
  readonly digest: Outcome;
  bytesWritten: number;
}

export class DigestStream extends WritableStream<unknown> {
  readonly #state: State;

  constructor(algorithm: unknown) {
    requireArguments(arguments.length, 1, "Failed to construct 'DigestStream'");
    const name = toDOMString(isObject(algorithm) ? (algorithm as { name?: unknown }).name : algorithm);
    freeHandles();
    const state: State = {
      handle: createHandle(askSync('crypto.openDigest', name).value as number),
      digest: createOutcome(),
      bytesWritten: 0,
    };
    super(sinkOf(state));
    this.#state = state;
    // Who does not look at the digest of a stream that failed has seen the failure of the stream.
    void promiseThen(state.digest.promise, undefined, () => {});
  }

  /** Resolves to the digest when the stream has been closed. */
  get digest(): Promise<ArrayBuffer> {
    return this.#state.digest.promise;
  }

  get bytesWritten(): bigint {
    return BigInt(this.#state.bytesWritten);
  }
}
defineInterface(DigestStream, 'DigestStream');

function createOutcome(): Outcome {
  let settle: Omit<Outcome, 'promise'> | undefined;
  const promise = new NativePromise<ArrayBuffer>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
}

function sinkOf(state: State): UnderlyingSink<unknown> {
  const { id } = state.handle;
  const { resolve, reject } = state.digest;
  return {
    write(chunk) {
      try {
        return update(state, chunk);
      } catch (error) {
        reject(error);
        throw error;
      }
    },
    close() {
      resolve(askSync('crypto.finishDigest', id).bytes!);
    },
    abort(reason) {
      askSync('crypto.free', `${id}`);
      reject(reason);
    },
  };
}

function update(state: State, chunk: unknown): Promise<void> | undefined {
  const bytes = typeof chunk === 'string' ? utf8Encode(toUSVString(chunk)) : viewBytes(chunk);
  if (bytes === undefined) {
    throw new TypeError('Cannot hash a chunk: it is neither bytes (an ArrayBuffer or a view on one) nor a string');
  }
  const length = typedArrayByteLength(bytes);
  state.bytesWritten += length;
  if (length === 0) return undefined;
  const { buffer } = bytesSlice(bytes);
  if (length > MAX_AT_ONCE_BYTES) return ask('crypto.updateDigest', state.handle.id, buffer, () => {});
  askSync('crypto.updateDigest', state.handle.id, buffer);
  return undefined;
}
