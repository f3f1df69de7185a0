import {
  arrayPush,
  type Bytes,
  bytesSlice,
  bytesSubarray,
  concatBytes,
  defineInterface,
  requireArguments,
  streams,
  toDOMString,
  toUSVString,
  utf8Decode,
  utf8Encode,
  viewBytes,
} from '../shared.ts';
import type { ReadableStream } from '../streams/index.ts';

const STREAM_CHUNK_BYTES = 64 * 1024;

export interface BlobPropertyBag {
  type?: string;
  endings?: 'transparent' | 'native';
}

export interface FilePropertyBag extends BlobPropertyBag {
  lastModified?: number;
}

export type BlobPart = Blob | ArrayBuffer | ArrayBufferView | string;

let readBytes: (blob: Blob) => Bytes;
let readType: (blob: Blob) => string;
let hasState: (value: object) => boolean;
let fill: (blob: Blob, bytes: Bytes, type: string) => void;

export class Blob {
  /** Never changed and never handed out: slices share its buffer. */
  #bytes: Bytes;
  #type: string;

  static {
    readBytes = (blob) => blob.#bytes;
    readType = (blob) => blob.#type;
    hasState = (value) => #bytes in value;
    fill = (blob, bytes, type) => {
      blob.#bytes = bytes;
      blob.#type = type;
    };
  }

  constructor(parts?: Iterable<BlobPart>, options?: BlobPropertyBag | null) {
    const list = parts === undefined ? [] : convertParts(parts);
    const bag = toBag(options, "Failed to construct 'Blob'");
    const endings = bag?.endings === undefined ? 'transparent' : toDOMString(bag.endings);
    if (endings !== 'transparent' && endings !== 'native') {
      throw new TypeError(`Failed to construct 'Blob': endings is '${endings}', must be 'transparent' or 'native'`);
    }
    const type = bag?.type === undefined ? '' : toDOMString(bag.type);
    this.#type = normalizeType(type);
    this.#bytes = joinParts(list, endings === 'native');
  }

  get size(): number {
    return this.#bytes.length;
  }

  get type(): string {
    return this.#type;
  }

  slice(start?: number, end?: number, contentType?: string): Blob {
    const { length } = this.#bytes;
    const from = start === undefined ? 0 : clampIndex(start, length);
    const to = end === undefined ? length : clampIndex(end, length);
    const type = contentType === undefined ? '' : normalizeType(toDOMString(contentType));
    return createBlob(bytesSubarray(this.#bytes, from, to > from ? to : from), type);
  }

  stream(): ReadableStream<Bytes> {
    const bytes = this.#bytes;
    let at = 0;
    const { ReadableStream } = streams();
    return new ReadableStream<Bytes>(
      {
        type: 'bytes',
        pull(controller) {
          if (at < bytes.length) {
            controller.enqueue(bytesSlice(bytes, at, at + STREAM_CHUNK_BYTES));
            at += STREAM_CHUNK_BYTES;
          }
          if (at < bytes.length) return;
          controller.close();
          controller.byobRequest?.respond(0);
        },
      },
      { highWaterMark: 0 },
    );
  }

  async text(): Promise<string> {
    return utf8Decode(withoutMark(this.#bytes));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return bytesSlice(this.#bytes).buffer;
  }

  async bytes(): Promise<Bytes> {
    return bytesSlice(this.#bytes);
  }
}
defineInterface(Blob, 'Blob', { constructor: 0, slice: 0 });

export class File extends Blob {
  readonly #name: string;
  readonly #lastModified: number;

  constructor(parts: Iterable<BlobPart>, name: string, options?: FilePropertyBag | null) {
    requireArguments(arguments.length, 2, "Failed to construct 'File'");
    if (parts === undefined) throw new TypeError("Failed to construct 'File': the parts must be a sequence");
    super(parts, options);
    this.#name = toUSVString(name);
    const modified = options?.lastModified;
    this.#lastModified = modified === undefined ? Date.now() : Math.trunc(modified) || 0;
  }

  get name(): string {
    return this.#name;
  }

  get lastModified(): number {
    return this.#lastModified;
  }
}
defineInterface(File, 'File', { constructor: 2 });

export function isBlob(value: unknown): value is Blob {
  return typeof value === 'object' && value !== null && hasState(value);
}

export function isFile(value: unknown): value is File {
  return isBlob(value) && value instanceof File;
}

/** A blob's bytes, not copied: do not change them, nor let tenant code have them. */
export function blobBytes(blob: Blob): Bytes {
  return readBytes(blob);
}

export function blobType(blob: Blob): string {
  return readType(blob);
}

/** A blob over bytes that nobody else will change. `type` is already normalized. */
export function createBlob(bytes: Bytes, type: string): Blob {
  const blob = new Blob();
  fill(blob, bytes, type);
  return blob;
}

/** A file over bytes that nobody else will change. */
export function createFile(bytes: Bytes, name: string, type: string, lastModified?: number): File {
  const file = new File([], name, lastModified === undefined ? undefined : { lastModified });
  fill(file, bytes, normalizeType(type));
  return file;
}

type ConvertedPart = Blob | Bytes | string;

/** Web IDL conversion of the parts: in order, strings at once, each taken before the next is asked for. */
function convertParts(parts: Iterable<BlobPart>): ConvertedPart[] {
  const isObject = typeof parts === 'object' || typeof parts === 'function';
  if (!isObject || parts === null || typeof parts[Symbol.iterator] !== 'function') {
    throw new TypeError('The parts of a Blob must be a sequence');
  }
  const list: ConvertedPart[] = [];
  for (const part of parts) arrayPush(list, isBlob(part) ? part : (viewBytes(part) ?? toUSVString(part)));
  return list;
}

function joinParts(parts: readonly ConvertedPart[], nativeEndings: boolean): Bytes {
  const chunks: Bytes[] = [];
  let length = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as ConvertedPart;
    let chunk: Bytes;
    if (typeof part === 'string') chunk = utf8Encode(nativeEndings ? part.replace(/\r\n?/g, '\n') : part);
    else chunk = isBlob(part) ? readBytes(part) : bytesSlice(part);
    length += chunk.length;
    arrayPush(chunks, chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : concatBytes(chunks, length);
}

function normalizeType(type: string): string {
  return /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase();
}

// Web IDL `[Clamp] long long`, then relative to the end when negative.
function clampIndex(value: unknown, length: number): number {
  const exact = Number(value);
  let number = Math.round(exact) || 0;
  if (number - exact === 0.5 && number % 2 !== 0) number--; // [Clamp] rounds halves to even
  return number < 0 ? Math.max(length + number, 0) : Math.min(number, length);
}

function toBag<T extends object>(options: T | null | undefined, what: string): T | undefined {
  if (options === undefined || options === null) return undefined;
  if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError(`${what}: not an object`);
  return options;
}

function withoutMark(bytes: Bytes): Bytes {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytesSubarray(bytes, 3) : bytes;
}
