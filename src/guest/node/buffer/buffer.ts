/**
 * `Buffer`: a Uint8Array with Node's methods. Its prototype is that of a subclass which only we construct, so that both
 * `new Buffer()` and `Buffer()` work and species lookups stay cheap, as in Node.
 */
import { inspect } from '../../core.ts';
import { checkInteger, checkNumber, invalidArgType, invalidArgValue, nodeError, outOfRange } from '../errors.ts';
import { type Bytes, type Encoding, findEncoding, utf8 } from './encodings.ts';
import { defineNumbers } from './numbers.ts';

export const MAX_LENGTH = 2 ** 53 - 1;
export const MAX_STRING_LENGTH = 2 ** 29 - 24;
export const state = { inspectMaxBytes: 50 };

class FastBuffer extends Uint8Array<ArrayBuffer> {}

export type Buffer = FastBuffer;
type Method = (this: Buffer, ...args: never[]) => unknown;

/** Deprecated in Node, and all over the registry. */
export function Buffer(value: unknown, encodingOrOffset?: unknown, length?: unknown): Buffer {
  if (typeof value !== 'number') return from(value, encodingOrOffset, length);
  if (typeof encodingOrOffset === 'string') throw invalidArgType('string', 'of type string', value);
  return alloc(value);
}

function alloc(size: unknown, fill?: unknown, encoding?: unknown): Buffer {
  checkNumber(size, 'size', 0, MAX_LENGTH);
  const buffer = blank(size);
  if (fill !== undefined && fill !== 0 && size > 0) fillBuffer.call(buffer, fill, encoding as string);
  return buffer;
}

function blank(size: number): Buffer {
  return new FastBuffer(new ArrayBuffer(size));
}

const LIKE = 'of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object';

function from(value: unknown, encodingOrOffset?: unknown, length?: unknown): Buffer {
  if (typeof value === 'string') return fromText(value, encodingOrOffset);
  if (typeof value === 'object' && value !== null) {
    if (isAnyBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
    const primitive = (value as { valueOf?: () => unknown }).valueOf?.();
    if (
      primitive !== undefined &&
      primitive !== null &&
      primitive !== value &&
      (typeof primitive === 'string' || typeof primitive === 'object')
    ) {
      return from(primitive, encodingOrOffset, length);
    }
    const like = fromLike(value as ArrayLike<unknown>);
    if (like !== undefined) return like;
    const convert = (value as { [Symbol.toPrimitive]?: (hint: string) => unknown })[Symbol.toPrimitive];
    if (typeof convert === 'function') {
      const text = convert.call(value, 'string');
      if (typeof text === 'string') return fromText(text, encodingOrOffset);
    }
  }
  throw invalidArgType('first argument', LIKE, value);
}

function fromText(text: string, encoding: unknown): Buffer {
  return adopt(toEncoding(encoding).encode(text));
}

function adopt(bytes: Bytes): Buffer {
  return new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isAnyBuffer(value: object): value is ArrayBuffer {
  return value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object ArrayBuffer]';
}

function fromArrayBuffer(buffer: ArrayBuffer, offset: unknown, length: unknown): Buffer {
  const start = offset === undefined || Number.isNaN(Number(offset)) ? 0 : Number(offset);
  const rest = buffer.byteLength - start;
  if (rest < 0) throw nodeError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"offset" is outside of buffer bounds');
  if (length === undefined) return new FastBuffer(buffer, start);
  const count = Number(length) > 0 ? Number(length) : 0;
  if (count > rest) throw nodeError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', '"length" is outside of buffer bounds');
  return new FastBuffer(buffer, start, count);
}

function fromLike(value: ArrayLike<unknown> & { type?: unknown; data?: unknown }): Buffer | undefined {
  if (value.length !== undefined) {
    if (typeof value.length !== 'number') return blank(0);
    const buffer = blank(value.length > 0 ? value.length : 0);
    if (ArrayBuffer.isView(value) && value instanceof Uint8Array) buffer.set(value);
    else for (let i = 0; i < buffer.length; i++) buffer[i] = value[i] as number;
    return buffer;
  }
  return value.type === 'Buffer' && Array.isArray(value.data) ? fromLike(value.data) : undefined;
}

function toEncoding(name: unknown): Encoding {
  if (typeof name !== 'string' || name === '') return utf8;
  const found = findEncoding(name);
  if (found === undefined) throw nodeError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${name}`);
  return found;
}

function isBuffer(value: unknown): value is Buffer {
  return value instanceof FastBuffer;
}

function toBytes(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw invalidArgType(name, 'an instance of Buffer or Uint8Array', value);
}

const statics = {
  alloc,
  allocUnsafe(size: unknown): Buffer {
    return alloc(size);
  },
  allocUnsafeSlow(size: unknown): Buffer {
    return alloc(size);
  },
  byteLength(value: unknown, encoding?: unknown): number {
    if (typeof value === 'string') {
      const found = typeof encoding === 'string' ? (findEncoding(encoding) ?? utf8) : utf8;
      return found.byteLength(value);
    }
    if (ArrayBuffer.isView(value) || (typeof value === 'object' && value !== null && isAnyBuffer(value))) {
      return (value as ArrayBufferView).byteLength;
    }
    throw invalidArgType('string', 'of type string or an instance of Buffer or ArrayBuffer', value);
  },
  compare(a: unknown, b: unknown): number {
    return compareBytes(toBytes(a, 'buf1'), toBytes(b, 'buf2'));
  },
  concat(list: unknown, totalLength?: unknown): Buffer {
    if (!Array.isArray(list)) throw invalidArgType('list', 'an instance of Array', list);
    const parts = list.map((item: unknown, i) => toBytes(item, `list[${i}]`));
    let length = 0;
    for (const part of parts) length += part.length;
    if (totalLength !== undefined) {
      checkInteger(totalLength, 'length', 0);
      length = totalLength;
    }
    const whole = blank(length);
    let at = 0;
    for (const part of parts) {
      if (at >= length) break;
      const piece = at + part.length > length ? part.subarray(0, length - at) : part;
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  },
  copyBytesFrom(source: unknown, offset: unknown = 0, length?: unknown): Buffer {
    if (!ArrayBuffer.isView(source) || source instanceof DataView) {
      throw invalidArgType('view', 'an instance of TypedArray', source);
    }
    const typed = source as Uint8Array;
    checkInteger(offset, 'offset', 0);
    if (length !== undefined) checkInteger(length, 'length', 0);
    const part = typed.slice(offset, length === undefined ? undefined : offset + length);
    return new FastBuffer(part.buffer, part.byteOffset, part.byteLength);
  },
  from,
  isBuffer,
  isEncoding(name: unknown): boolean {
    return typeof name === 'string' && name !== '' && findEncoding(name) !== undefined;
  },
  of(...items: number[]): Buffer {
    return from(items);
  },
};

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return Math.sign(a.length - b.length);
}

function fillBuffer(this: Buffer, value: unknown, offset?: unknown, end?: unknown, encoding?: unknown): Buffer {
  let start = offset;
  let stop = end;
  let name = encoding;
  if (typeof start === 'string') [name, start, stop] = [start, undefined, undefined];
  else if (typeof stop === 'string') [name, stop] = [stop, undefined];
  if (start === undefined) start = 0;
  else checkInteger(start, 'offset', 0);
  if (stop === undefined) stop = this.length;
  else checkInteger(stop, 'end', 0, this.length);
  const [from, to] = [start as number, stop as number];
  if (from >= to) return this;
  if (typeof value === 'number' || typeof value === 'boolean') {
    Uint8Array.prototype.fill.call(this, Number(value) & 0xff, from, to);
    return this;
  }
  const bytes =
    typeof value === 'string' ? toEncoding(name).encode(value) : ArrayBuffer.isView(value) ? bytesOf(value) : undefined;
  if (bytes === undefined) {
    Uint8Array.prototype.fill.call(this, Number(value) & 0xff, from, to);
    return this;
  }
  if (bytes.length === 0) {
    if (typeof value === 'string' && value === '') Uint8Array.prototype.fill.call(this, 0, from, to);
    else throw invalidArgValue('value', value);
    return this;
  }
  for (let at = from; at < to; at += bytes.length) {
    this.set(at + bytes.length > to ? bytes.subarray(0, to - at) : bytes, at);
  }
  return this;
}

function bytesOf(value: ArrayBufferView): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** As Array's methods take positions: from the end when negative, within bounds. */
function clamp(value: unknown, length: number, missing: number): number {
  if (value === undefined) return missing;
  const at = Math.trunc(Number(value)) || 0;
  return at < 0 ? Math.max(at + length, 0) : Math.min(at, length);
}

function searchBytes(buffer: Buffer, value: unknown, byteOffset: unknown, encoding: unknown, forward: boolean): number {
  let offset = byteOffset;
  let name = encoding;
  if (typeof offset === 'string') [name, offset] = [offset, undefined];
  let at = Number(offset);
  if (Number.isNaN(at)) at = forward ? 0 : buffer.length;
  at = Math.trunc(Math.min(Math.max(at, -0x80000000), 0x7fffffff));
  if (at < 0) at += buffer.length;
  if (at < 0 && !forward) return -1;
  if (at < 0) at = 0;
  if (typeof value === 'number') {
    const byte = value & 0xff;
    const { indexOf, lastIndexOf } = Uint8Array.prototype;
    return forward ? indexOf.call(buffer, byte, at) : lastIndexOf.call(buffer, byte, at);
  }
  const needle = typeof value === 'string' ? toEncoding(name).encode(value) : value;
  if (!(needle instanceof Uint8Array)) {
    throw invalidArgType('value', 'one of type number or string or an instance of Buffer or Uint8Array', value);
  }
  const last = buffer.length - needle.length;
  if (needle.length === 0) return Math.min(at, buffer.length);
  if (forward) {
    for (
      let i = buffer.indexOf(needle[0]!, at);
      i >= 0 && i <= last;
      i = Uint8Array.prototype.indexOf.call(buffer, needle[0]!, i + 1)
    ) {
      if (matchesAt(buffer, needle, i)) return i;
    }
    return -1;
  }
  for (let i = Math.min(at, last); i >= 0; i--) if (matchesAt(buffer, needle, i)) return i;
  return -1;
}

function matchesAt(buffer: Uint8Array, needle: Uint8Array, at: number): boolean {
  for (let i = 1; i < needle.length; i++) if (buffer[at + i] !== needle[i]) return false;
  return buffer[at] === needle[0];
}

function swap(buffer: Buffer, size: number): Buffer {
  if (buffer.length % size !== 0) {
    throw nodeError(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
  }
  for (let i = 0; i < buffer.length; i += size) buffer.subarray(i, i + size).reverse();
  return buffer;
}

function part(buffer: Buffer, encoding: Encoding, start: unknown, end: unknown): string {
  const from = Math.min(Math.max(Math.trunc(Number(start ?? 0)) || 0, 0), buffer.length);
  const to = end === undefined ? buffer.length : Math.min(Math.max(Math.trunc(Number(end)) || 0, 0), buffer.length);
  if (to <= from) return '';
  return encoding.decode(new Uint8Array(buffer.buffer, buffer.byteOffset + from, to - from));
}

function write(buffer: Buffer, text: string, encoding: Encoding, offset: number, room: number): number {
  const bytes = encoding.encode(text);
  let count = Math.min(bytes.length, room);
  // A character that does not fit is not written in part.
  if (count < bytes.length && encoding === utf8) while (count > 0 && (bytes[count]! & 0xc0) === 0x80) count--;
  if (count < bytes.length && encoding.name === 'utf16le') count -= count % 2;
  buffer.set(bytes.subarray(0, count), offset);
  return count;
}

const methods = {
  asciiSlice: sliceIn('ascii'),
  base64Slice: sliceIn('base64'),
  base64urlSlice: sliceIn('base64url'),
  hexSlice: sliceIn('hex'),
  latin1Slice: sliceIn('latin1'),
  ucs2Slice: sliceIn('ucs2'),
  utf8Slice: sliceIn('utf8'),
  asciiWrite: writeIn('ascii'),
  base64Write: writeIn('base64'),
  base64urlWrite: writeIn('base64url'),
  hexWrite: writeIn('hex'),
  latin1Write: writeIn('latin1'),
  ucs2Write: writeIn('ucs2'),
  utf8Write: writeIn('utf8'),
  compare(this: Buffer, target: unknown, targetStart?: unknown, targetEnd?: unknown, start?: unknown, end?: unknown) {
    const other = toBytes(target, 'target');
    const bound = (value: unknown, name: string, length: number, missing: number): number => {
      if (value === undefined) return missing;
      checkInteger(value, name, 0, name.endsWith('End') ? length : Number.MAX_SAFE_INTEGER);
      return value;
    };
    return compareBytes(
      this.subarray(bound(start, 'sourceStart', this.length, 0), bound(end, 'sourceEnd', this.length, this.length)),
      other.subarray(
        bound(targetStart, 'targetStart', other.length, 0),
        bound(targetEnd, 'targetEnd', other.length, other.length),
      ),
    );
  },
  copy(this: Buffer, target: unknown, targetStart?: unknown, sourceStart?: unknown, sourceEnd?: unknown): number {
    const to = toBytes(target, 'target');
    const toInteger = (value: unknown, missing: number, name: string, max: number): number => {
      if (value === undefined) return missing;
      const number = Math.trunc(Number(value)) || 0;
      if (number < 0 || number > max) throw outOfRange(name, `>= 0 && <= ${max}`, number);
      return number;
    };
    const at = toInteger(targetStart, 0, 'targetStart', Number.MAX_SAFE_INTEGER);
    const from = toInteger(sourceStart, 0, 'sourceStart', this.length);
    const end = toInteger(sourceEnd, this.length, 'sourceEnd', Number.MAX_SAFE_INTEGER);
    if (at >= to.length || from >= end) return 0;
    const piece = Uint8Array.prototype.subarray.call(this, from, Math.min(end, from + to.length - at));
    to.set(piece, at);
    return piece.length;
  },
  equals(this: Buffer, other: unknown): boolean {
    return this === other || compareBytes(this, toBytes(other, 'otherBuffer')) === 0;
  },
  fill: fillBuffer,
  includes(this: Buffer, value: unknown, offset?: unknown, encoding?: unknown): boolean {
    return searchBytes(this, value, offset, encoding, true) !== -1;
  },
  indexOf(this: Buffer, value: unknown, offset?: unknown, encoding?: unknown): number {
    return searchBytes(this, value, offset, encoding, true);
  },
  lastIndexOf(this: Buffer, value: unknown, offset?: unknown, encoding?: unknown): number {
    return searchBytes(this, value, offset, encoding, false);
  },
  slice(this: Buffer, start?: unknown, end?: unknown): Buffer {
    const from = clamp(start, this.length, 0);
    const to = clamp(end, this.length, this.length);
    return new FastBuffer(this.buffer, this.byteOffset + from, Math.max(to - from, 0));
  },
  swap16(this: Buffer): Buffer {
    return swap(this, 2);
  },
  swap32(this: Buffer): Buffer {
    return swap(this, 4);
  },
  swap64(this: Buffer): Buffer {
    return swap(this, 8);
  },
  toJSON(this: Buffer): object {
    return { type: 'Buffer', data: [...this] };
  },
  toString(this: Buffer, encoding?: unknown, start?: unknown, end?: unknown): string {
    return part(this, encoding === undefined ? utf8 : toEncoding(String(encoding)), start, end);
  },
  write(this: Buffer, text: unknown, offset?: unknown, length?: unknown, encoding?: unknown): number {
    if (typeof text !== 'string') throw nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
    if (offset === undefined) return write(this, text, utf8, 0, this.length);
    if (typeof offset === 'string') return write(this, text, toEncoding(offset), 0, this.length);
    checkInteger(offset, 'offset', 0, this.length);
    const room = this.length - offset;
    if (length === undefined || typeof length === 'string') {
      return write(this, text, toEncoding(length ?? encoding), offset, room);
    }
    checkInteger(length, 'length', 0, this.length);
    return write(this, text, toEncoding(encoding), offset, Math.min(length, room));
  },
};

function sliceIn(name: string): Method {
  return function (this: Buffer, start?: unknown, end?: unknown) {
    return part(this, findEncoding(name)!, start, end);
  };
}

function writeIn(name: string): Method {
  return function (this: Buffer, text: string, offset = 0, length = this.length - offset) {
    return write(this, text, findEncoding(name)!, offset, length);
  };
}

for (const [key, value] of Object.entries(statics)) {
  Object.defineProperty(Buffer, key, { value, writable: true, enumerable: true, configurable: true });
}
for (const [key, value] of Object.entries(methods)) {
  Object.defineProperty(FastBuffer.prototype, key, { value, writable: true, enumerable: true, configurable: true });
}
Object.assign(FastBuffer.prototype, { toLocaleString: methods.toString });
Object.defineProperties(FastBuffer.prototype, {
  constructor: { value: Buffer, writable: true, configurable: true },
  parent: {
    get(this: unknown) {
      return isBuffer(this) ? this.buffer : undefined;
    },
    enumerable: true,
    configurable: true,
  },
  offset: {
    get(this: unknown) {
      return isBuffer(this) ? this.byteOffset : undefined;
    },
    enumerable: true,
    configurable: true,
  },
  subarray: { value: methods.slice, writable: true, enumerable: true, configurable: true },
  [Symbol.for('nodejs.util.inspect.custom')]: { value: inspectBuffer, writable: true, configurable: true },
});
Object.defineProperty(FastBuffer.prototype, 'inspect', { value: inspectBuffer, writable: true, configurable: true });
defineNumbers(FastBuffer.prototype);
Object.defineProperties(Buffer, {
  prototype: { value: FastBuffer.prototype, writable: false },
  poolSize: { value: 65_536, writable: true, enumerable: true, configurable: true },
  [Symbol.species]: { get: () => FastBuffer, configurable: true },
});
Object.setPrototypeOf(Buffer, Uint8Array);
// In a bundle the class may have got another name.
Object.defineProperty(FastBuffer, 'name', { value: 'Buffer' });
Object.defineProperty(Buffer, 'name', { value: 'Buffer', configurable: true });

function inspectBuffer(this: Buffer): string {
  const shown = Array.from(this.subarray(0, state.inspectMaxBytes) as Iterable<number>, (byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  const rest = this.length - shown.length;
  const more = rest > 0 ? ` ... ${rest} more byte${rest > 1 ? 's' : ''}` : '';
  const names = Object.keys(this)
    .slice(this.length)
    .map((key) => `, ${key}: ${inspect(Reflect.get(this, key))}`);
  return `<Buffer${shown.length > 0 ? ' ' : ''}${shown.join(' ')}${more}${names.join('')}>`;
}
