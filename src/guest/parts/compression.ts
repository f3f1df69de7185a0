/**
 * CompressionStream and DecompressionStream (Compression standard), with brotli and zstd beside its formats. The work is
 * done by the host (cell/services/zlib): short chunks at once, longer ones in its thread pool.
 */
import {
  addAbortAlgorithm,
  ask,
  askSync,
  type Bytes,
  bytesSubarray,
  copyBytes,
  currentInvocation,
  dataViewBuffer,
  defineInterface,
  finalizationRegister,
  hold,
  type Invocation,
  isAbortSignal,
  isArrayBuffer,
  isView,
  NativePromise,
  ReadableStream,
  type ReadableByteStreamController,
  release,
  requireArguments,
  type Resource,
  toDOMString,
  typedArrayBuffer,
  typedArrayTag,
  WritableStream,
} from '../core.ts';

type Flush = 'finish' | 'none';

const FORMATS = { __proto__: null, brotli: true, deflate: true, 'deflate-raw': true, gzip: true, zstd: true };
/** The byte that follows each piece of output. */
const MORE = 1;
const SURPLUS = 2;
const SYNC_BYTES = 16 * 1024; // not longer than what the service answers at once
const ASKED_BYTES = 64 * 1024; // nor than what it takes

/** What the host keeps for a pair of streams. Knows nothing of them, so that they can be collected. */
class Codec implements Resource {
  readonly #id: number;
  readonly #invocation: Invocation | undefined;
  #open = true;

  constructor(format: string, compress: boolean) {
    closeCollected();
    this.#id = askSync('zlib.open', { format, compress }).value as number;
    this.#invocation = currentInvocation();
    if (this.#invocation !== undefined) hold(this.#invocation, this);
  }

  /** A piece of output and its last byte. */
  write(bytes: Bytes | undefined, flush: Flush | undefined): Promise<Bytes> | Bytes {
    const parameters = { id: this.#id, flush };
    if (bytes === undefined || bytes.byteLength <= SYNC_BYTES) {
      return new Uint8Array(askSync('zlib.write', parameters, bytes?.buffer).bytes!);
    }
    return toBytes(ask('zlib.write', parameters, bytes.buffer));
  }

  /** The host has freed it already. */
  forget(): void {
    this.#open = false;
    if (this.#invocation !== undefined) release(this.#invocation, this);
  }

  drop(): void {
    if (!this.#open) return;
    this.forget();
    try {
      askSync('zlib.close', { ids: [this.#id] });
    } catch {
      // The event has no CPU time left: a later one does it.
      this.#open = true;
      collected[collected.length] = this;
    }
  }
}

/** Of streams that nobody has any more. A finalizer runs at no time to ask the host anything. */
let collected: Codec[] = [];
const registry = new FinalizationRegistry<Codec>((codec) => {
  collected[collected.length] = codec;
});

function closeCollected(): void {
  const codecs = collected;
  collected = [];
  for (let i = 0; i < codecs.length; i++) codecs[i]!.drop();
}

/** A transform whose output is made as it is read: a write waits for a reader before each piece. */
class Pair {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<unknown>;
  readonly #format: string;
  readonly #compress: boolean;
  #codec: Codec | undefined = undefined;
  #reader!: ReadableByteStreamController;
  /** One side has gone. */
  #ended = false;
  /** Somebody waits for output, or (`#wake`) we for somebody who does. */
  #wanted = false;
  #wake: (() => void) | undefined = undefined;

  constructor(format: string, compress: boolean) {
    this.#format = format;
    this.#compress = compress;
    let failWriter: (reason: unknown) => void;
    this.readable = new ReadableStream<Bytes>(
      {
        type: 'bytes',
        start: (controller) => {
          this.#reader = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.#wakeUp();
        },
        cancel: (reason) => {
          this.#end();
          failWriter(reason);
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        failWriter = (reason) => {
          controller.error(reason);
        };
        // The polyfill makes it with the global AbortController of the day, which the tenant may have replaced.
        const signal: unknown = controller.signal;
        if (isAbortSignal(signal)) addAbortAlgorithm(signal, () => this.#end());
      },
      write: (chunk) => this.#guard(() => this.#write(chunk)),
      close: () => this.#guard(() => this.#close()),
      abort: (reason) => {
        this.#end();
        this.#reader.error(reason);
      },
    });
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#ended) return;
      this.#end();
      this.#reader.error(error);
      throw error;
    }
  }

  async #write(chunk: unknown): Promise<void> {
    const bytes = toOwnBytes(chunk);
    for (let start = 0; start < bytes.byteLength; start += ASKED_BYTES) {
      const isWhole = start === 0 && bytes.byteLength <= ASKED_BYTES;
      // A buffer of its own: all of it is sent.
      const part = isWhole ? bytes : copyBytes(bytesSubarray(bytes, start, start + ASKED_BYTES))!;
      await this.#demand();
      if (this.#ended) return;
      let state = await this.#step(part, 'none');
      while (state === MORE) {
        await this.#demand();
        if (this.#ended) return;
        state = await this.#step(undefined, undefined);
      }
      if (state === SURPLUS) throw new TypeError('Cannot decompress: there is data after the end (Z_DATA_ERROR)');
    }
  }

  /** What is left is little: it does not wait for a reader, as in the standard. */
  async #close(): Promise<void> {
    let state = await this.#step(undefined, 'finish');
    while (state === MORE && !this.#ended) state = await this.#step(undefined, undefined);
    if (this.#ended) return;
    this.#codec?.forget();
    this.#codec = undefined;
    this.#reader.close();
    this.#reader.byobRequest?.respond(0);
  }

  async #step(bytes: Bytes | undefined, flush: Flush | undefined): Promise<number> {
    if (this.#codec === undefined) {
      this.#codec = new Codec(this.#format, this.#compress);
      finalizationRegister(registry, this, this.#codec);
    }
    const answer = this.#codec.write(bytes, flush);
    const piece = isView(answer) ? answer : await answer;
    const length = piece.byteLength - 1;
    if (length > 0 && !this.#ended) {
      this.#wanted = false;
      const state = piece[length]!;
      this.#reader.enqueue(bytesSubarray(piece, 0, length));
      return state;
    }
    return piece[length]!;
  }

  /** Resolves when output is wanted, or a side has gone. */
  #demand(): Promise<void> | undefined {
    if (this.#wanted || this.#ended) return undefined;
    return new NativePromise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(): void {
    this.#ended = true;
    this.#codec?.drop();
    this.#codec = undefined;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

export class CompressionStream {
  readonly #pair: Pair;

  constructor(format: string) {
    requireArguments(arguments.length, 1, "Failed to construct 'CompressionStream'");
    this.#pair = new Pair(toFormat(format, 'CompressionStream'), true);
  }

  get readable(): ReadableStream<Bytes> {
    return this.#pair.readable;
  }

  get writable(): WritableStream<unknown> {
    return this.#pair.writable;
  }
}

export class DecompressionStream {
  readonly #pair: Pair;

  constructor(format: string) {
    requireArguments(arguments.length, 1, "Failed to construct 'DecompressionStream'");
    this.#pair = new Pair(toFormat(format, 'DecompressionStream'), false);
  }

  get readable(): ReadableStream<Bytes> {
    return this.#pair.readable;
  }

  get writable(): WritableStream<unknown> {
    return this.#pair.writable;
  }
}

defineInterface(CompressionStream, 'CompressionStream');
defineInterface(DecompressionStream, 'DecompressionStream');

function toFormat(value: unknown, type: string): string {
  const format = toDOMString(value);
  if (format in FORMATS) return format;
  throw new TypeError(`Failed to construct '${type}': unsupported format '${format}'`);
}

/** A copy of a chunk's bytes; what shares memory with others is refused (Web IDL, BufferSource). */
function toOwnBytes(chunk: unknown): Bytes {
  const buffer: unknown = !isView(chunk)
    ? chunk
    : typedArrayTag(chunk) === undefined
      ? dataViewBuffer(chunk)
      : typedArrayBuffer(chunk);
  const bytes = isArrayBuffer(buffer) ? copyBytes(chunk) : undefined;
  if (bytes === undefined) throw new TypeError('This stream takes bytes: write an ArrayBuffer or a view on one');
  return bytes;
}

async function toBytes(answer: ReturnType<typeof ask>): Promise<Bytes> {
  return new Uint8Array((await answer).bytes!);
}
