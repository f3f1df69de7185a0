/** A compressor or decompressor of the host (cell/services/zlib), fed piece by piece. */
import { ask, askSync, currentInvocation, hold, type Invocation, release, type Resource } from '../../core.ts';
import { Buffer, type Bytes, toBytes } from '../crypto/bytes.ts';
import { nodeError, outOfRange } from '../errors.ts';

export type Flush = 'finish' | 'full' | 'none' | 'sync';
export type Format = 'brotli' | 'deflate' | 'deflate-raw' | 'gzip' | 'unzip' | 'zstd';

export interface Kind {
  readonly format: Format;
  readonly compress: boolean;
}

export interface ZlibOptions {
  readonly level?: number;
  readonly windowBits?: number;
  readonly memLevel?: number;
  readonly strategy?: number;
  readonly dictionary?: unknown;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly finishFlush?: number;
  readonly maxOutputLength?: number;
}

/** The byte that follows each piece of output. */
const MORE = 1;
const SURPLUS = 2;
const SYNC_BYTES = 16 * 1024; // not longer than what the service answers at once
const ASKED_BYTES = 64 * 1024; // nor than what it takes
const RANGES = { level: [-1, 9], windowBits: [8, 15], memLevel: [1, 9], strategy: [0, 4] } as const;
const ERRNO: Readonly<Record<string, number>> = {
  Z_BUF_ERROR: -5,
  Z_DATA_ERROR: -3,
  Z_MEM_ERROR: -4,
  Z_NEED_DICT: 2,
  Z_STREAM_ERROR: -2,
  Z_VERSION_ERROR: -6,
};

export class Codec implements Resource {
  readonly #kind: Kind;
  readonly #id: number;
  readonly #invocation: Invocation | undefined;
  #open = true;

  constructor(kind: Kind, options: ZlibOptions, atOnce: boolean) {
    const parameters: Record<string, unknown> = { ...kind, atOnce };
    for (const [name, [min, max]] of Object.entries(RANGES)) {
      const value = options[name as keyof typeof RANGES];
      // For a decompressor, 0 means: as the data says.
      if (value === undefined || (name === 'windowBits' && value === 0 && !kind.compress)) continue;
      if (typeof value !== 'number' || !(value >= min && value <= max)) {
        throw outOfRange(`options.${name}`, `>= ${min} and <= ${max}`, value);
      }
      parameters[name] = value;
    }
    if (options.params !== undefined) parameters['params'] = toNumbers(options.params);
    const dictionary = options.dictionary === undefined ? undefined : toBytes(options.dictionary, 'options.dictionary');
    this.#kind = kind;
    this.#id = askSync(
      'zlib.open',
      parameters,
      dictionary === undefined ? undefined : new Uint8Array(dictionary).buffer,
    ).value as number;
    this.#invocation = currentInvocation();
    if (this.#invocation !== undefined) hold(this.#invocation, this);
  }

  /** All output of some input, of which each piece is given to `take`. Answers false when the data had ended before. */
  runSync(input: Bytes, flush: Flush, take: (piece: Bytes) => void): boolean {
    for (const [part, how] of piecesOf(input, flush, SYNC_BYTES)) {
      let parameters: object = { id: this.#id, flush: how };
      let bytes: ArrayBuffer | undefined = new Uint8Array(part).buffer;
      for (;;) {
        const piece = this.#guard(() => new Uint8Array(askSync('zlib.write', parameters, bytes).bytes!));
        if (piece.length > 1) take(piece.subarray(0, -1));
        const state = piece.at(-1);
        if (state === SURPLUS) return false;
        if (state !== MORE) break;
        parameters = { id: this.#id };
        bytes = undefined;
      }
    }
    return true;
  }

  /** The same beside the thread that serves everybody; `take` may make it wait. */
  async run(input: Bytes, flush: Flush, take: (piece: Bytes) => Promise<void> | undefined): Promise<boolean> {
    for (const [part, how] of piecesOf(input, flush, ASKED_BYTES)) {
      let parameters: object = { id: this.#id, flush: how };
      let bytes: ArrayBuffer | undefined = new Uint8Array(part).buffer;
      for (;;) {
        let piece: Bytes;
        try {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          piece = new Uint8Array((await ask('zlib.write', parameters, bytes)).bytes!);
        } catch (error) {
          this.forget();
          throw toZlibError(error);
        }
        // oxlint-disable-next-line no-await-in-loop -- until there is room
        if (piece.length > 1) await take(piece.subarray(0, -1));
        const state = piece.at(-1);
        if (state === SURPLUS) return false;
        if (state !== MORE) break;
        parameters = { id: this.#id };
        bytes = undefined;
      }
    }
    return true;
  }

  params(level: number, strategy: number): void {
    askSync('zlib.params', { id: this.#id, level, strategy });
  }

  reset(): void {
    askSync('zlib.reset', { id: this.#id });
  }

  get compresses(): boolean {
    return this.#kind.compress;
  }

  /** The host has freed it already. */
  forget(): void {
    this.#open = false;
    if (this.#invocation !== undefined) release(this.#invocation, this);
  }

  drop(): void {
    if (!this.#open) return;
    this.forget();
    askSync('zlib.close', { ids: [this.#id] });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.forget();
      throw toZlibError(error);
    }
  }
}

function* piecesOf(input: Bytes, flush: Flush, size: number): Generator<[part: Bytes, flush: Flush]> {
  let at = 0;
  for (; at + size < input.length; at += size) yield [input.subarray(at, at + size), 'none'];
  yield [input.subarray(at), flush];
}

function toNumbers(params: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [key, Number(value)]));
}

/** `Cannot decompress: incorrect header check (Z_DATA_ERROR)` as Node's error. */
function toZlibError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : '';
  const [, text, code] = /^Cannot (?:de)?compress: (.*) \((\w+)\)$/s.exec(message) ?? [];
  if (text === undefined || code === undefined) return error;
  return Object.assign(new Error(text), { errno: ERRNO[code] ?? -1, code });
}

/** All of some data at once. */
export function convertSync(kind: Kind, data: unknown, options: ZlibOptions = {}): Bytes {
  const input = toBytes(data, 'buffer');
  const pieces: Bytes[] = [];
  const codec = new Codec(kind, options, true);
  try {
    codec.runSync(input, toFinish(options), collector(pieces, options));
  } finally {
    codec.drop();
  }
  return Buffer.concat(pieces);
}

export async function convert(kind: Kind, input: Bytes, options: ZlibOptions): Promise<Bytes> {
  const pieces: Bytes[] = [];
  const codec = new Codec(kind, options, false);
  const take = collector(pieces, options);
  try {
    await codec.run(input, toFinish(options), (piece) => {
      take(piece);
      return undefined;
    });
  } finally {
    codec.drop();
  }
  return Buffer.concat(pieces);
}

/** `finishFlush: Z_SYNC_FLUSH` is how programs ask to be content with data that was cut off. */
export function toFinish({ finishFlush }: ZlibOptions): Flush {
  return finishFlush === 2 || finishFlush === 1 ? 'sync' : 'finish';
}

function collector(pieces: Bytes[], { maxOutputLength = 2 ** 53 }: ZlibOptions): (piece: Bytes) => void {
  let length = 0;
  return (piece) => {
    length += piece.length;
    if (length > maxOutputLength) {
      throw nodeError(
        RangeError,
        'ERR_BUFFER_TOO_LARGE',
        `Cannot create a Buffer larger than ${maxOutputLength} bytes`,
      );
    }
    pieces.push(piece);
  };
}
