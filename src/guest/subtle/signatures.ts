/** The arguments of each method of SubtleCrypto, from what a tenant gives to a question for the host. */
import { isArrayBuffer, isView, reflectOwnKeys, requireArguments } from '../core.ts';
import {
  type BufferSource,
  bytesOf,
  emptyRecord,
  toBufferSource,
  toFormat,
  toInteger,
  toJsonWebKey,
  toUsages,
} from './convert.ts';
import { answersAtOnce, type CryptoKey, toCryptoKey } from './crypto-key.ts';
import { type AlgorithmIdentifier, normalizeUse, toAlgorithmIdentifier } from './normalize.ts';
import { CryptoRequest } from './request.ts';

/** Kinds of arguments. An algorithm is given as the operation of the registry that it is normalised for. */
type Kind = 'boolean' | 'bytes' | 'format' | 'key' | 'keyData' | 'length' | 'usages' | { readonly algorithm: string };

const SIGNATURES = {
  decapsulateBits: [{ algorithm: 'decapsulate' }, 'key', 'bytes'],
  decapsulateKey: [{ algorithm: 'decapsulate' }, 'key', 'bytes', { algorithm: 'importKey' }, 'boolean', 'usages'],
  decrypt: [{ algorithm: 'decrypt' }, 'key', 'bytes'],
  deriveBits: [{ algorithm: 'deriveBits' }, 'key', 'length'],
  // Its third argument is normalised for `importKey` as well, which asks for nothing more than this.
  deriveKey: [{ algorithm: 'deriveBits' }, 'key', { algorithm: 'get key length' }, 'boolean', 'usages'],
  digest: [{ algorithm: 'digest' }, 'bytes'],
  encapsulateBits: [{ algorithm: 'encapsulate' }, 'key'],
  encapsulateKey: [{ algorithm: 'encapsulate' }, 'key', { algorithm: 'importKey' }, 'boolean', 'usages'],
  encrypt: [{ algorithm: 'encrypt' }, 'key', 'bytes'],
  exportKey: ['format', 'key'],
  generateKey: [{ algorithm: 'generateKey' }, 'boolean', 'usages'],
  getPublicKey: ['key', 'usages'],
  importKey: ['format', 'keyData', { algorithm: 'importKey' }, 'boolean', 'usages'],
  sign: [{ algorithm: 'sign' }, 'key', 'bytes'],
  unwrapKey: ['format', 'bytes', 'key', { algorithm: 'unwrapKey' }, { algorithm: 'importKey' }, 'boolean', 'usages'],
  verify: [{ algorithm: 'verify' }, 'key', 'bytes', 'bytes'],
  wrapKey: ['format', 'key', 'key', { algorithm: 'wrapKey' }],
} as const satisfies Record<string, readonly Kind[]>;

export type Method = keyof typeof SIGNATURES;
export const METHODS = reflectOwnKeys(SIGNATURES) as Method[];

const ORDINALS = ['1st', '2nd', '3rd', '4th', '5th', '6th', '7th'];
const MAX_BITS = 0xffffffff;
const MAX_AT_ONCE_BYTES = 64 * 1024; // hashed in 40 to 350 us; an answer by a later entry takes as long

interface Question {
  readonly request: CryptoRequest;
  /** The host answers it sooner than it could take note of it. */
  readonly atOnce: boolean;
}

/** How many arguments a method needs. */
export function requiredCount(method: Method): number {
  return method === 'deriveBits' ? 2 : SIGNATURES[method].length; // the length of deriveBits is optional
}

/** Converts all arguments, normalises the algorithms among them, and only then looks at data: the standard's order. */
export function toQuestion(method: Method, given: readonly unknown[]): Question {
  const context = `Failed to execute '${method}' on 'SubtleCrypto'`;
  requireArguments(given.length, requiredCount(method), context);
  const kinds: readonly Kind[] = SIGNATURES[method];
  const request = new CryptoRequest();
  const values: unknown[] = [];
  for (let i = 0; i < kinds.length; i++) {
    values[i] = convert(kinds[i]!, i < given.length ? given[i] : undefined, {
      what: `${context}: ${ORDINALS[i]!} argument`,
      format: values[0],
    });
  }
  for (let i = 0; i < kinds.length; i++) {
    const kind = kinds[i]!;
    if (typeof kind === 'object') values[i] = normalizeUse(request, values[i] as AlgorithmIdentifier, kind.algorithm);
  }
  for (let i = 0; i < kinds.length; i++) request.add(encode(request, kinds[i]!, values[i]));
  return { request, atOnce: isShort(method, request, values) };
}

function convert(kind: Kind, value: unknown, { what, format }: { what: string; format: unknown }): unknown {
  if (typeof kind === 'object') return toAlgorithmIdentifier(value);
  switch (kind) {
    case 'boolean':
      return Boolean(value);
    case 'bytes':
      return toBufferSource(value, what);
    case 'format':
      return toFormat(value, what);
    case 'key':
      return toCryptoKey(value, what);
    case 'keyData':
      return format === 'jwk' ? jwkArgument(value, what) : toBufferSource(value, what);
    case 'length':
      return value === undefined || value === null ? null : toInteger(value, MAX_BITS, what);
    case 'usages':
    default:
      return toUsages(value, what);
  }
}

function jwkArgument(value: unknown, what: string): object {
  const converted = emptyRecord();
  converted['jwk'] = toJsonWebKey(value, what);
  return converted;
}

function encode(request: CryptoRequest, kind: Kind, value: unknown): unknown {
  if (typeof kind === 'object') return value;
  switch (kind) {
    case 'bytes':
      return request.bytes(bytesOf(value as BufferSource));
    case 'key':
      return request.key(value as CryptoKey);
    case 'keyData':
      return isView(value) || isArrayBuffer(value) ? request.bytes(bytesOf(value as BufferSource)) : value;
    case 'usages': {
      const reference = emptyRecord();
      reference['usages'] = value;
      return reference;
    }
    case 'boolean':
    case 'format':
    case 'length':
    default:
      return value;
  }
}

function isShort(method: Method, request: CryptoRequest, values: readonly unknown[]): boolean {
  if (request.byteLength > MAX_AT_ONCE_BYTES) return false;
  if (method === 'digest') return reflectOwnKeys(values[0] as object).length === 1; // a name, no parameters
  if (method === 'sign' || method === 'verify') return answersAtOnce(values[1] as CryptoKey);
  return method === 'importKey' && values[0] === 'raw' && isSecret((values[2] as { readonly name: string }).name);
}

function isSecret(name: string): boolean {
  return name === 'HMAC' || name === 'AES-GCM' || name === 'AES-CBC' || name === 'AES-CTR' || name === 'AES-KW';
}
