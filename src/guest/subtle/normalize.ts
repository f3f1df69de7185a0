/** "Normalizing an algorithm" of the Web Cryptography API: what a tenant gives, read once, as plain data for the host. */
import { bytesSlice, DOMException, SafeMap, toDOMString } from '../core.ts';
import { findAlgorithm, type MemberType } from './algorithms.ts';
import {
  type BufferSource,
  bytesOf,
  emptyRecord,
  isObject,
  toBufferSource,
  toInteger,
  toUint8Array,
} from './convert.ts';
import { toCryptoKey } from './crypto-key.ts';
import type { CryptoRequest } from './request.ts';

/** `(object or DOMString)`, converted as far as Web IDL does that before the method's steps begin. */
export type AlgorithmIdentifier = object | string;

const WHAT = 'Failed to normalize algorithm: ';

export function toAlgorithmIdentifier(value: unknown): AlgorithmIdentifier {
  return isObject(value) ? value : toDOMString(value);
}

/** The algorithm for one operation of the registry, with its bytes and keys put into `request`. */
export function normalize(request: CryptoRequest, algorithm: AlgorithmIdentifier, operation: string): object {
  const given = typeof algorithm === 'string' ? undefined : (algorithm as Record<string, unknown>);
  const requested = given === undefined ? algorithm : given['name'];
  if (requested === undefined) throw new TypeError(`${WHAT}name is required in an algorithm.`);
  const found = findAlgorithm(operation, toDOMString(requested));
  if (found === undefined) throw new DOMException('Unrecognized algorithm name', 'NotSupportedError');
  const { name, dictionary, dictionaryName } = found;
  const normalized = emptyRecord();
  normalized['name'] = name;
  // Bytes and hashes are looked into when all members have been read, as the standard has it.
  const later = new SafeMap<string, BufferSource | AlgorithmIdentifier>();
  for (let i = 0; i < dictionary.length; i++) {
    const key = dictionary[i]![0];
    const type = dictionary[i]![1];
    const value = given?.[key];
    if (value === undefined) {
      if (isRequired(type)) {
        throw new TypeError(`${WHAT}'${key}' is required in '${dictionaryName}'.`);
      }
      continue;
    }
    const what = `${WHAT}${key} in ${dictionaryName}`;
    switch (type) {
      case 'bytes':
      case 'Bytes':
        later.set(key, toBufferSource(value, what));
        break;
      case 'BigInteger':
        later.set(key, toUint8Array(value, what));
        break;
      case 'Hash':
        later.set(key, toAlgorithmIdentifier(value));
        break;
      case 'Name':
        normalized[key] = toDOMString(value);
        break;
      case 'octet':
      case 'Octet':
        normalized[key] = toInteger(value, 0xff, what);
        break;
      case 'Short':
        normalized[key] = toInteger(value, 0xffff, what);
        break;
      case 'long':
      case 'Long':
        normalized[key] = toInteger(value, 0xffffffff, what);
        break;
      case 'Key':
        normalized[key] = request.key(toCryptoKey(value, what));
        break;
    }
  }
  for (let i = 0; i < dictionary.length; i++) {
    const key = dictionary[i]![0];
    const value = later.get(key);
    if (value === undefined) continue;
    normalized[key] =
      dictionary[i]![1] === 'Hash'
        ? normalize(request, value, 'digest')
        : request.bytes(bytesSlice(bytesOf(value as BufferSource)));
  }
  return normalized;
}

/** The same; what encrypts may wrap keys, too. */
export function normalizeUse(request: CryptoRequest, algorithm: AlgorithmIdentifier, operation: string): object {
  if (operation !== 'wrapKey' && operation !== 'unwrapKey') return normalize(request, algorithm, operation);
  try {
    return normalize(request, algorithm, operation);
  } catch {
    return normalize(request, algorithm, operation === 'wrapKey' ? 'encrypt' : 'decrypt');
  }
}

function isRequired(type: MemberType): boolean {
  return type[0]! < 'a';
}
