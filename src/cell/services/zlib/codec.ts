/**
 * One compressor or decompressor of node:zlib, driven step by step: each step takes some input and gives one bounded
 * piece of output, so that what a few bytes unfold to is made only as it is asked for.
 *
 * Node's own streams do not offer that for short synchronous steps. So this drives the native handle inside the
 * stream, whose methods have been the same since Node 11 (minizlib, which npm uses, does so too). codec.test.ts fails
 * when a Node changes them.
 */
import type { Transform } from 'node:stream';
import { ServiceError } from '../service.ts';

/** Bytes of output that one step gives at most. */
export const PIECE_BYTES = 64 * 1024;

/** What the codec is told with the last bytes of a write; values of each library are in FLUSH. */
export type Flush = 'finish' | 'full' | 'none' | 'sync';

/** What the step left to do. */
export const STATE = {
  /** All input is used up. */
  hungry: 0,
  /** There is more output: take another step. */
  more: 1,
  /** The compressed data ended before the input did. */
  surplus: 2,
} as const;

/** A step's output, followed by one byte of STATE. */
export type Piece = Uint8Array;

/** Why data cannot be decompressed, by the code of the library. */
export class CodecError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

interface NativeHandle {
  cb: () => void;
  onerror: (message: string, errno: number, code: string) => void;
  write(...step: NativeStep): void;
  writeSync(...step: NativeStep): void;
  params(level: number, strategy: number): void;
  reset(): void;
  close(): void;
}
type NativeStep = [
  flush: number,
  input: Uint8Array | null,
  inputOffset: number,
  inputLength: number,
  output: Uint8Array,
  outputOffset: number,
  outputLength: number,
];

const NOTHING = new Uint8Array(0);
/** Output of synchronous steps. */
const scratch = Buffer.allocUnsafeSlow(PIECE_BYTES + 1);
const FLUSH = {
  zlib: { none: 0, sync: 2, full: 3, finish: 4 },
  other: { none: 0, sync: 1, full: 1, finish: 2 },
} as const;

export class Codec {
  readonly #handle: NativeHandle;
  /** Written by the library: room left in the output, input not used up. */
  readonly #left: Uint32Array;
  readonly #flushes: Readonly<Record<Flush, number>>;
  #input: Uint8Array = NOTHING;
  #flush: Flush = 'none';
  #error: CodecError | undefined;
  /** All that was fed has come out. */
  #flushed = true;
  #closed = false;
  #stepping = false;
  /** Work of it is under way, or waits for its turn. Set by the owner; cleared with the step's end. */
  running = false;

  /** Takes over `stream`, which nobody else may use. `family`: whose flush operations it knows. */
  constructor(stream: Transform, family: keyof typeof FLUSH) {
    const { _handle, _writeState } = stream as unknown as { _handle: NativeHandle; _writeState: Uint32Array };
    this.#handle = _handle;
    this.#left = _writeState;
    this.#flushes = FLUSH[family];
    // To a stream that is destroyed, the end of a write is told by `cb` alone.
    Object.defineProperty(stream, 'destroyed', { value: true });
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- not a DOM object
    this.#handle.onerror = (message, _errno, code) => {
      this.#error = new CodecError(message, code);
      if (this.#stepping) this.#handle.cb();
    };
  }

  /** There is output to take, or input to use up, before more input may be given. */
  get pending(): boolean {
    return this.#input.byteLength > 0 || this.#flush !== 'none';
  }

  /** Gives it input, which it keeps until `pending` is false. */
  feed(input: Uint8Array, flush: Flush): void {
    this.#input = input;
    this.#flush = flush;
    this.#flushed = false;
  }

  /** Throws a CodecError for bad data. The piece is the caller's until the next step of any codec. */
  stepSync(): Piece {
    this.#handle.writeSync(...this.#toStep(scratch));
    return this.#finishStep(scratch);
  }

  /** The same in the thread pool. The piece is the caller's to keep. */
  step(): Promise<Piece> {
    const output = Buffer.allocUnsafeSlow(PIECE_BYTES + 1);
    return new Promise((resolve, reject) => {
      this.#stepping = true;
      this.#handle.cb = () => {
        this.#stepping = false;
        this.running = false;
        try {
          resolve(this.#finishStep(output));
        } catch (error) {
          reject(error);
        }
      };
      this.#handle.write(...this.#toStep(output));
    });
  }

  /** Throws unless all input has been flushed: zlib would write what it holds back to the output of the last step. */
  params(level: number, strategy: number): void {
    if (!this.#flushed) throw new ServiceError('Error', 'Cannot change the parameters: not all input has been flushed');
    this.#handle.params(level, strategy);
  }

  reset(): void {
    this.#handle.reset();
    this.#input = NOTHING;
    this.#flush = 'none';
    this.#flushed = true;
  }

  /** Frees the library's memory, after a step under way. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  #toStep(output: Uint8Array): NativeStep {
    const { byteLength } = this.#input;
    return [this.#flushes[this.#flush], this.#input, 0, byteLength, output, 0, PIECE_BYTES];
  }

  #finishStep(output: Uint8Array): Piece {
    const error = this.#error;
    if (error !== undefined) {
      this.#error = undefined;
      throw error;
    }
    const [room = 0, unused = 0] = this.#left;
    const made = PIECE_BYTES - room;
    this.#input = unused === 0 ? NOTHING : this.#input.subarray(this.#input.byteLength - unused);
    const state = room === 0 ? STATE.more : unused > 0 ? STATE.surplus : STATE.hungry;
    if (state !== STATE.more) {
      this.#flushed = this.#flush === 'sync' || this.#flush === 'full';
      this.#input = NOTHING;
      this.#flush = 'none';
    }
    output[made] = state;
    return output.subarray(0, made + 1);
  }
}
