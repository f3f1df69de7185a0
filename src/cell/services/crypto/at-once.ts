/** What is computed on this thread while the guest waits: short hashes and imports, where a job takes ten times as long. */
import {
  createHash,
  createHmac,
  createSecretKey,
  type Hash,
  hash,
  type KeyObject,
  timingSafeEqual,
  type webcrypto,
} from 'node:crypto';
import { ServiceError } from '../service.ts';
import type { KeyEntry } from './handles.ts';

const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
  ['SHA3-256', 'sha3-256'],
  ['SHA3-384', 'sha3-384'],
  ['SHA3-512', 'sha3-512'],
]);
const IMPORTED_AT_ONCE: ReadonlySet<string> = new Set(['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW', 'HMAC']);
const MAX_BYTES = 64 * 1024; // SHA-256 takes 40 us for them, SHA-512 150, SHA3-512 350

export interface ImportedKey {
  readonly key: webcrypto.CryptoKey;
  readonly secret: KeyObject | undefined;
}

/** A digest, when the algorithm is one without parameters and the data is short. */
export function digestAtOnce([algorithm, data]: readonly unknown[]): Buffer {
  const name = HASHES.get(nameOf(algorithm));
  if (name === undefined || !isShort(data)) throw notAtOnce();
  return hash(name, data, 'buffer');
}

export function signAtOnce([algorithm, , data]: readonly unknown[], key: KeyEntry | undefined): Buffer {
  return authenticate(algorithm, key, { data, use: 'sign' });
}

export function verifyAtOnce([algorithm, , signature, data]: readonly unknown[], key: KeyEntry | undefined): boolean {
  const expected = authenticate(algorithm, key, { data, use: 'verify' });
  return (
    signature instanceof Uint8Array && signature.length === expected.length && timingSafeEqual(signature, expected)
  );
}

/** A secret key for HMAC (of the data's own length) or AES, from its bytes. */
export function importAtOnce([format, data, algorithm, extractable, usages]: readonly unknown[]): ImportedKey {
  if (format !== 'raw' || !IMPORTED_AT_ONCE.has(nameOf(algorithm)) || !isShort(data)) throw notAtOnce();
  const whole = createSecretKey(data);
  const key = whole.toCryptoKey(
    algorithm as webcrypto.Algorithm,
    extractable as boolean,
    usages as webcrypto.KeyUsage[],
  );
  const isWhole = nameOf(algorithm) === 'HMAC' && (algorithm as { length?: number }).length === undefined;
  return { key, secret: isWhole ? whole : undefined };
}

/** The hash for a DigestStream, by the standard's name or MD5, in any case. */
export function openDigest(name: unknown): Hash {
  const upper = typeof name === 'string' ? name.toUpperCase() : '';
  const found = upper === 'MD5' ? 'md5' : HASHES.get(upper);
  if (found === undefined)
    throw new ServiceError('NotSupportedError', 'Unrecognized or unimplemented digest algorithm');
  return createHash(found);
}

/** The secret of an HMAC key that is about to be imported whole; undefined for other keys. */
export function hmacSecret([format, data, algorithm]: readonly unknown[]): KeyObject | undefined {
  if (nameOf(algorithm) !== 'HMAC' || (algorithm as { length?: number }).length !== undefined) return undefined;
  if (format !== 'jwk') return data instanceof Uint8Array ? createSecretKey(data) : undefined;
  const { k } = data as { k?: unknown };
  return typeof k === 'string' ? createSecretKey(Buffer.from(k, 'base64url')) : undefined;
}

function authenticate(
  algorithm: unknown,
  key: KeyEntry | undefined,
  { data, use }: { data: unknown; use: 'sign' | 'verify' },
): Buffer {
  if (key?.secret === undefined || !isShort(data)) throw notAtOnce();
  if (nameOf(algorithm) !== 'HMAC') throw new ServiceError('InvalidAccessError', 'Key algorithm mismatch');
  if (!key.key.usages.includes(use)) throw new ServiceError('InvalidAccessError', `Unable to use this key to ${use}`);
  const { hash } = key.key.algorithm as webcrypto.HmacKeyAlgorithm;
  return createHmac(HASHES.get(hash.name)!, key.secret).update(data).digest();
}

function nameOf(algorithm: unknown): string {
  return String((algorithm as { name?: unknown } | null)?.name);
}

function isShort(data: unknown): data is Uint8Array {
  return data instanceof Uint8Array && data.length <= MAX_BYTES;
}

function notAtOnce(): ServiceError {
  return new ServiceError('OperationError', 'The operation cannot be answered at once');
}
