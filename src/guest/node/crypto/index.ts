/**
 * `node:crypto`. Called by parts/node-crypto.ts; the work is done by the service `node-crypto` of the host.
 * Promise: what takes long is asynchronous, or refused when it is asked for at once.
 * Start at bytes.ts.
 */
import * as constants from 'unenv/node/internal/crypto/constants';
import { crypto as webcrypto } from '../../core.ts';
import { notAvailable } from '../errors.ts';
import { Cipheriv, Decipheriv } from './cipher.ts';
import { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync } from './derive.ts';
import { Hash, hash, Hmac } from './hash.ts';
import * as keys from './keys.ts';
import * as random from './random.ts';

const MISSING = [
  'Certificate',
  'DiffieHellman',
  'DiffieHellmanGroup',
  'ECDH',
  'X509Certificate',
  'checkPrime',
  'checkPrimeSync',
  'createDiffieHellman',
  'createDiffieHellmanGroup',
  'createECDH',
  'generatePrime',
  'generatePrimeSync',
  'getDiffieHellman',
  'privateEncrypt',
  'publicDecrypt',
  'secureHeapUsed',
  'setEngine',
];
const HASHES = [
  'RSA-SHA1',
  'RSA-SHA256',
  'RSA-SHA384',
  'RSA-SHA512',
  'md5',
  'ripemd160',
  'sha1',
  'sha224',
  'sha256',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'sha384',
  'sha512',
  'sha512-256',
  'shake128',
  'shake256',
];
const CIPHERS = ['128', '192', '256'].flatMap((bits) =>
  ['cbc', 'cfb', 'cfb8', 'ctr', 'ecb', 'gcm', 'ofb'].map((mode) => `aes-${bits}-${mode}`),
);

function missing(name: string): () => never {
  return function () {
    throw notAvailable(`crypto.${name}`);
  };
}

const { Sign, Verify, ...keyFunctions } = keys;

/** Web Crypto is a part of its own, which importing this module must not load. */
const subtle: object = new Proxy(
  {},
  {
    get(_, key) {
      const real: object = webcrypto.subtle;
      const value: unknown = Reflect.get(real, key);
      return typeof value === 'function' ? (value.bind(real) as unknown) : value;
    },
    getPrototypeOf: () => Object.getPrototypeOf(webcrypto.subtle) as object,
  },
);

export const crypto: object = {
  ...Object.fromEntries(MISSING.map((name) => [name, missing(name)])),
  ...keyFunctions,
  ...random,
  Cipheriv,
  Decipheriv,
  Hash,
  Hmac,
  Sign,
  Verify,
  constants: { ...constants },
  createCipheriv: (...args: ConstructorParameters<typeof Cipheriv>) => new Cipheriv(...args),
  createDecipheriv: (...args: ConstructorParameters<typeof Decipheriv>) => new Decipheriv(...args),
  createHash: (algorithm: unknown, options?: { outputLength?: number }) => new Hash(algorithm, options),
  createHmac: (algorithm: unknown, key: unknown) => new Hmac(algorithm, key),
  createSign: (algorithm: unknown) => new Sign(algorithm),
  createVerify: (algorithm: unknown) => new Verify(algorithm),
  getCipherInfo: missing('getCipherInfo'),
  getCiphers: () => [...CIPHERS, 'chacha20-poly1305'],
  getCurves: () => ['prime256v1', 'secp256k1', 'secp384r1', 'secp521r1'],
  getFips: () => 0,
  getHashes: () => [...HASHES],
  getRandomValues: <T>(array: T): T => webcrypto.getRandomValues(array),
  hash,
  hkdf,
  hkdfSync,
  pbkdf2,
  pbkdf2Sync,
  randomUUID: () => webcrypto.randomUUID(),
  scrypt,
  scryptSync,
  setFips: missing('setFips'),
  subtle,
  webcrypto,
};
