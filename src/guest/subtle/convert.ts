/** Conversions of Web IDL that the methods of SubtleCrypto need. Each reads what a tenant gives exactly once. */
import {
  arrayBufferDetached,
  type Bytes,
  dataViewBuffer,
  isArrayBuffer,
  isView,
  objectCreate,
  reflectApply,
  SafeSet,
  symbolIterator,
  toDOMString,
  typedArrayBuffer,
  typedArrayTag,
  viewBytes,
} from '../core.ts';

export type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** A JsonWebKey with the members that are there, in the order of Web IDL. Without a prototype. */
export type JsonWebKey = Record<string, unknown>;

const FORMATS = setOf('jwk', 'pkcs8', 'raw', 'raw-private', 'raw-public', 'raw-secret', 'raw-seed', 'spki');
const USAGES = setOf(
  'decapsulateBits',
  'decapsulateKey',
  'decrypt',
  'deriveBits',
  'deriveKey',
  'encapsulateBits',
  'encapsulateKey',
  'encrypt',
  'sign',
  'unwrapKey',
  'verify',
  'wrapKey',
);
const JWK_MEMBERS = 'alg crv d dp dq e ext k key_ops kty n oth p priv pub q qi use x y';
const OTHER_PRIME_MEMBERS = 'd r t';
const MAX_ITEMS = 1_000; // of a sequence: no key has as many usages or primes, and an iterator may never end

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A record that neither has nor inherits anything: JSON of it is what is put into it. */
export function emptyRecord(): Record<string, unknown> {
  return objectCreate(null) as Record<string, unknown>;
}

/** `[EnforceRange]` of an unsigned integer up to `max`. */
export function toInteger(value: unknown, max: number, what: string): number {
  const number = (value as number) - 0; // ToNumber: a symbol or a BigInt throws
  const integer = number - (number % 1) + 0;
  if (!(integer >= 0 && integer <= max)) throw new TypeError(`${what} is not an integer from 0 to ${max}.`);
  return integer;
}

export function toBufferSource(value: unknown, what: string): BufferSource {
  if (isView(value) || isArrayBuffer(value)) return value as BufferSource;
  throw new TypeError(`${what} is not an ArrayBuffer or a view on one.`);
}

export function toUint8Array(value: unknown, what: string): BufferSource {
  if (isView(value) && typedArrayTag(value) === 'Uint8Array') return value as BufferSource;
  throw new TypeError(`${what} is not a Uint8Array.`);
}

/** The bytes of a source as they are now; none when its buffer has been detached. */
export function bytesOf(source: BufferSource): Bytes {
  const buffer = isView(source) ? bufferOf(source) : source;
  return arrayBufferDetached(buffer) ? new Uint8Array(0) : viewBytes(source)!;
}

function bufferOf(view: ArrayBufferView<ArrayBuffer>): ArrayBuffer {
  return typedArrayTag(view) === undefined ? dataViewBuffer(view) : typedArrayBuffer(view);
}

export function toFormat(value: unknown, what: string): string {
  return toEnum(value, FORMATS, `${what} is not a valid value of KeyFormat:`);
}

/** Usages, joined by commas. */
export function toUsages(value: unknown, what: string): string {
  let usages = '';
  iterate(value, what, (item) => {
    usages += `${usages === '' ? '' : ','}${toEnum(item, USAGES, `${what} has an item that is not a valid KeyUsage:`)}`;
  });
  return usages;
}

export function toJsonWebKey(value: unknown, what: string): JsonWebKey {
  return toDictionary(value, JWK_MEMBERS, what);
}

function toDictionary(value: unknown, members: string, what: string): JsonWebKey {
  const dictionary = emptyRecord();
  if (value === undefined || value === null) return dictionary;
  if (!isObject(value)) throw new TypeError(`${what} cannot be converted to a dictionary.`);
  const source = value as Record<string, unknown>;
  let start = 0;
  for (let end = 0; end <= members.length; end++) {
    if (end < members.length && members[end] !== ' ') continue;
    let key = '';
    for (; start < end; start++) key += members[start]!;
    start = end + 1;
    const member = source[key];
    if (member !== undefined) dictionary[key] = toMember(key, member, `${key} in ${what}`);
  }
  return dictionary;
}

function toMember(key: string, value: unknown, what: string): unknown {
  if (key === 'ext') return Boolean(value);
  if (key !== 'key_ops' && key !== 'oth') return toDOMString(value);
  const list = emptyRecord();
  let length = 0;
  iterate(value, what, (item) => {
    list[length] = key === 'oth' ? toDictionary(item, OTHER_PRIME_MEMBERS, what) : toDOMString(item);
    length++;
  });
  return list;
}

/** Web IDL `sequence`: any iterable. */
function iterate(value: unknown, what: string, visit: (item: unknown) => void): void {
  const refuse = (): never => {
    throw new TypeError(`${what} cannot be converted to a sequence.`);
  };
  if (!isObject(value)) refuse();
  const method = (value as Iterable<unknown>)[symbolIterator] as unknown;
  if (typeof method !== 'function') refuse();
  const iterator = reflectApply(method as () => Iterator<unknown>, value, []) as unknown;
  if (!isObject(iterator)) refuse();
  const { next } = iterator as { next: unknown };
  if (typeof next !== 'function') refuse();
  for (let count = 0; ; count++) {
    const result = reflectApply(next as () => unknown, iterator, []);
    if (!isObject(result)) refuse();
    if ((result as IteratorResult<unknown>).done) return;
    if (count >= MAX_ITEMS) throw new TypeError(`${what} has more than ${MAX_ITEMS} items.`);
    visit((result as IteratorResult<unknown>).value);
  }
}

function toEnum(value: unknown, values: SafeSet<string>, refusal: string): string {
  const text = toDOMString(value);
  if (!values.has(text)) throw new TypeError(`${refusal} '${text}'.`);
  return text;
}

function setOf(...values: string[]): SafeSet<string> {
  const set = new SafeSet<string>();
  for (let i = 0; i < values.length; i++) set.add(values[i]!);
  return set;
}
