/** `buf.readInt16LE` and its kin: one method for each width, sign and byte order, made from tables. */
import { invalidArgType, nodeError, outOfRange } from '../errors.ts';

type Method = (this: Uint8Array, ...args: unknown[]) => unknown;

interface Kind {
  readonly name: string;
  readonly bytes: number;
  readonly get: string;
  readonly range?: readonly [min: number | bigint, max: number | bigint, shown: string];
}

const KINDS: readonly Kind[] = [
  { name: 'UInt8', bytes: 1, get: 'Uint8', range: [0, 0xff, '>= 0 and <= 255'] },
  { name: 'UInt16', bytes: 2, get: 'Uint16', range: [0, 0xffff, '>= 0 and <= 65535'] },
  { name: 'UInt32', bytes: 4, get: 'Uint32', range: [0, 0xffffffff, '>= 0 and <= 4294967295'] },
  { name: 'Int8', bytes: 1, get: 'Int8', range: [-0x80, 0x7f, '>= -128 and <= 127'] },
  { name: 'Int16', bytes: 2, get: 'Int16', range: [-0x8000, 0x7fff, '>= -32768 and <= 32767'] },
  { name: 'Int32', bytes: 4, get: 'Int32', range: [-0x80000000, 0x7fffffff, '>= -2147483648 and <= 2147483647'] },
  { name: 'Float', bytes: 4, get: 'Float32' },
  { name: 'Double', bytes: 8, get: 'Float64' },
  { name: 'BigUInt64', bytes: 8, get: 'BigUint64', range: [0n, 2n ** 64n - 1n, '>= 0n and < 2n ** 64n'] },
  {
    name: 'BigInt64',
    bytes: 8,
    get: 'BigInt64',
    range: [-(2n ** 63n), 2n ** 63n - 1n, '>= -(2n ** 63n) and < 2n ** 63n'],
  },
];

export function defineNumbers(prototype: object): void {
  for (const kind of KINDS) {
    for (const order of kind.bytes === 1 ? [''] : ['LE', 'BE']) {
      define(prototype, `read${kind.name}${order}`, reader(kind, order === 'LE'));
      define(prototype, `write${kind.name}${order}`, writer(kind, order === 'LE'));
    }
  }
  for (const signed of [false, true]) {
    for (const order of ['LE', 'BE']) {
      const name = `${signed ? 'Int' : 'UInt'}${order}`;
      define(prototype, `read${name}`, wideReader(signed, order === 'LE'));
      define(prototype, `write${name}`, wideWriter(signed, order === 'LE'));
    }
  }
}

/** The lower-case spelling `readUint8` is an alias of each `readUInt8`. */
function define(prototype: object, name: string, value: Method): void {
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  for (const key of new Set([name, name.replace('UInt', 'Uint')])) {
    Object.defineProperty(prototype, key, { value, writable: true, enumerable: true, configurable: true });
  }
}

function view(buffer: Uint8Array): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function reader({ bytes, get }: Kind, little: boolean): Method {
  const name = `get${get}` as 'getUint16';
  return function (offset: unknown = 0) {
    return view(this)[name](checkOffset(this, offset, bytes), little);
  };
}

function writer({ name, bytes, get, range }: Kind, little: boolean): Method {
  const setter = `set${get}` as 'setUint16';
  const isBig = name.startsWith('Big');
  return function (value: unknown, offset: unknown = 0) {
    if (isBig && typeof value !== 'bigint')
      throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
    const number = (isBig ? value : Number(value)) as number;
    if (range !== undefined && (number > range[1] || number < range[0])) {
      throw outOfRange('value', range[2], number);
    }
    const at = checkOffset(this, offset, bytes);
    view(this)[setter](at, number, little);
    return at + bytes;
  };
}

function wideReader(signed: boolean, little: boolean): Method {
  return function (offset: unknown, byteLength: unknown) {
    if (offset === undefined) throw invalidArgType('offset', 'of type number', offset);
    const length = checkByteLength(byteLength);
    const at = checkOffset(this, offset, length);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this[little ? at + length - 1 - i : at + i]!;
    return signed && value >= 2 ** (length * 8 - 1) ? value - 2 ** (length * 8) : value;
  };
}

function wideWriter(signed: boolean, little: boolean): Method {
  return function (value: unknown, offset: unknown, byteLength: unknown) {
    const length = checkByteLength(byteLength);
    const number = Number(value);
    const min = signed ? -(2 ** (length * 8 - 1)) : 0;
    const max = 2 ** (length * 8 - (signed ? 1 : 0)) - 1;
    if (number > max || number < min) throw outOfRange('value', rangeText(min, max, length, signed), number);
    const at = checkOffset(this, offset, length);
    let rest = number < 0 ? number + 2 ** (length * 8) : number;
    for (let i = 0; i < length; i++) {
      this[little ? at + i : at + length - 1 - i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return at + length;
  };
}

function rangeText(min: number, max: number, length: number, signed: boolean): string {
  if (length <= 4) return `>= ${min} and <= ${max}`;
  return signed ? `>= -(2 ** ${length * 8 - 1}) and < 2 ** ${length * 8 - 1}` : `>= 0 and < 2 ** ${length * 8}`;
}

function checkByteLength(value: unknown): number {
  if (typeof value !== 'number') throw invalidArgType('byteLength', 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange('byteLength', 'an integer', value);
  if (value < 1 || value > 6) throw outOfRange('byteLength', '>= 1 and <= 6', value);
  return value;
}

function checkOffset(buffer: Uint8Array, offset: unknown, bytes: number): number {
  if (typeof offset !== 'number') throw invalidArgType('offset', 'of type number', offset);
  if (Number.isInteger(offset) && offset >= 0 && offset + bytes <= buffer.length) return offset;
  if (!Number.isInteger(offset)) throw outOfRange('offset', 'an integer', offset);
  if (buffer.length < bytes) {
    throw nodeError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  }
  throw outOfRange('offset', `>= 0 and <= ${buffer.length - bytes}`, offset);
}
