/**
 * `crypto`: random values from the host, drawn through a pool; `subtle` and `DigestStream` are parts.
 * A snapshot is shared by all isolates, so nothing is drawn before `setRandomSource`.
 */
import { DOMException } from './events/index.ts';
import type * as digestStream from './parts/digest-stream.ts';
import type * as quotaExceededError from './parts/quota-exceeded-error.ts';
import type * as subtle from './parts/subtle.ts';
import {
  bytesSubarray,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArraySet,
  typedArrayTag,
} from './primordials.ts';
import { loadInterfaces } from './runtime/lazy-globals.ts';
import { loadPart } from './runtime/parts.ts';
import { defineInterface, requireArguments } from './webidl.ts';

const POOL_BYTES = 4096; // one host call for 256 UUIDs
const MAX_SOURCE_BYTES = 65_536; // of one call: the host's limit, and that of getRandomValues
const INTEGER_ARRAYS = new Set([
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
]);
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

let source: ((count: number) => ArrayBuffer) | undefined;
let pool = new Uint8Array(0);
let used = 0;
let subtleCrypto: subtle.SubtleCrypto | undefined;

/** Puts the host's random bytes in place: `draw(n)` answers n of them, n up to 65,536. */
export function setRandomSource(draw: (count: number) => ArrayBuffer): void {
  source = draw;
  pool = new Uint8Array(0);
  used = 0;
}

/** So many random bytes, up to 65,536. Each is given out once. */
export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  if (source === undefined) throw new DOMException('Random values are not available yet', 'InvalidStateError');
  if (count > MAX_SOURCE_BYTES) throw new RangeError(`Cannot draw ${count} random bytes: limit is ${MAX_SOURCE_BYTES}`);
  if (count > POOL_BYTES / 4) return new Uint8Array(source(count));
  if (used + count > pool.length) {
    pool = new Uint8Array(source(POOL_BYTES));
    used = 0;
  }
  const bytes = new Uint8Array(count);
  typedArraySet(bytes, bytesSubarray(pool, used, used + count), 0);
  pool.fill(0, used, used + count); // memory read later tells nothing of values given out earlier
  used += count;
  return bytes;
}

export class Crypto {
  #brand = true;

  constructor(key?: symbol) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
  }

  get subtle(): subtle.SubtleCrypto {
    checkBrand(this.#brand);
    subtleCrypto ??= (loadInterfaces('subtle') as typeof subtle).subtle;
    return subtleCrypto;
  }

  get DigestStream(): typeof digestStream.DigestStream {
    checkBrand(this.#brand);
    return (loadPart('digest-stream') as typeof digestStream).DigestStream;
  }

  getRandomValues<T>(array: T): T {
    checkBrand(this.#brand);
    requireArguments(arguments.length, 1, "Failed to execute 'getRandomValues' on 'Crypto'");
    const tag = typedArrayTag(array);
    if (tag === undefined || !INTEGER_ARRAYS.has(tag)) {
      throw new DOMException('Cannot fill: the value is not an integer typed array', 'TypeMismatchError');
    }
    const view = array as object;
    const length = typedArrayByteLength(view);
    if (length > MAX_SOURCE_BYTES) {
      const { QuotaExceededError } = loadPart('quota-exceeded-error') as typeof quotaExceededError;
      throw new QuotaExceededError(`Cannot get random values: array is ${length} bytes, limit is ${MAX_SOURCE_BYTES}`);
    }
    typedArraySet(new Uint8Array(typedArrayBuffer(view), typedArrayByteOffset(view), length), randomBytes(length));
    return array;
  }

  randomUUID(): string {
    checkBrand(this.#brand);
    const bytes = randomBytes(16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40; // version 4
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80; // variant 10
    let uuid = '';
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) uuid += '-';
      uuid += HEX[bytes[i] as number] as string;
    }
    return uuid;
  }
}
defineInterface(Crypto, 'Crypto', { constructor: 0 });

const KEY = Symbol('key');

export const crypto = new Crypto(KEY);

function checkBrand(_field: unknown): void {}
