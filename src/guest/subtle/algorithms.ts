/**
 * Which algorithms there are, for which operations, and the dictionary that each takes there (Web Cryptography API,
 * algorithm overview; WICG "Modern Algorithms"). What the values may be, the host says.
 */

import { reflectOwnKeys, SafeMap, toUpperCase } from '../core.ts';

/** Operations as in the standard's registry; `-` is one without a dictionary. */
type Registration = Readonly<Record<string, string>>;

/** How a member of a dictionary is converted. A capital says that it is required. */
export type MemberType =
  | 'bytes'
  | 'Bytes'
  | 'BigInteger'
  | 'Hash'
  | 'Name'
  | 'octet'
  | 'Octet'
  | 'Short'
  | 'long'
  | 'Long'
  | 'Key';

/** Members in the order in which Web IDL reads them. */
export type Dictionary = readonly (readonly [key: string, type: MemberType])[];

const DICTIONARIES: Readonly<Record<string, Dictionary>> = {
  '-': [],
  AeadParams: [
    ['additionalData', 'bytes'],
    ['iv', 'Bytes'],
    ['tagLength', 'octet'],
  ],
  AesCbcParams: [['iv', 'Bytes']],
  AesCtrParams: [
    ['counter', 'Bytes'],
    ['length', 'Octet'],
  ],
  AesKeyParams: [['length', 'Short']],
  Argon2Params: [
    ['associatedData', 'bytes'],
    ['memory', 'Long'],
    ['nonce', 'Bytes'],
    ['parallelism', 'Long'],
    ['passes', 'Long'],
    ['secretValue', 'bytes'],
    ['version', 'octet'],
  ],
  CShakeParams: [
    ['customization', 'bytes'],
    ['functionName', 'bytes'],
    ['outputLength', 'Long'],
  ],
  ContextParams: [['context', 'bytes']],
  EcKeyParams: [['namedCurve', 'Name']],
  EcdhKeyDeriveParams: [['public', 'Key']],
  EcdsaParams: [['hash', 'Hash']],
  HkdfParams: [
    ['hash', 'Hash'],
    ['info', 'Bytes'],
    ['salt', 'Bytes'],
  ],
  HmacKeyParams: [
    ['hash', 'Hash'],
    ['length', 'long'],
  ],
  KangarooTwelveParams: [
    ['customization', 'bytes'],
    ['outputLength', 'Long'],
  ],
  KmacKeyParams: [['length', 'long']],
  KmacParams: [
    ['customization', 'bytes'],
    ['outputLength', 'Long'],
  ],
  Pbkdf2Params: [
    ['hash', 'Hash'],
    ['iterations', 'Long'],
    ['salt', 'Bytes'],
  ],
  RsaHashedImportParams: [['hash', 'Hash']],
  // RsaKeyGenParams comes first, as the dictionary that RsaHashedKeyGenParams inherits from.
  RsaHashedKeyGenParams: [
    ['modulusLength', 'Long'],
    ['publicExponent', 'BigInteger'],
    ['hash', 'Hash'],
  ],
  RsaOaepParams: [['label', 'bytes']],
  RsaPssParams: [['saltLength', 'Long']],
  TurboShakeParams: [
    ['domainSeparation', 'octet'],
    ['outputLength', 'Long'],
  ],
};

const DIGEST: Registration = { digest: '-' };
const KEY: Registration = { importKey: '-', exportKey: '-' };
const PAIR: Registration = { ...KEY, generateKey: '-' };
const AES: Registration = { ...KEY, generateKey: 'AesKeyParams', 'get key length': 'AesKeyParams' };
const ARGON2: Registration = { importKey: '-', deriveBits: 'Argon2Params', 'get key length': '-' };
const EC: Registration = { exportKey: '-', generateKey: 'EcKeyParams', importKey: 'EcKeyParams' };
const KEM: Registration = { ...PAIR, encapsulate: '-', decapsulate: '-', 'get shared key length': '-' };
const MAC: Registration = {
  exportKey: '-',
  generateKey: 'KmacKeyParams',
  importKey: 'KmacKeyParams',
  'get key length': 'KmacKeyParams',
  sign: 'KmacParams',
  verify: 'KmacParams',
};
const RSA: Registration = {
  exportKey: '-',
  generateKey: 'RsaHashedKeyGenParams',
  importKey: 'RsaHashedImportParams',
};
const CIPHER = (dictionary: string): Registration => ({ encrypt: dictionary, decrypt: dictionary });
const SIGNATURE = (dictionary: string): Registration => ({ sign: dictionary, verify: dictionary });
const CONTEXT = SIGNATURE('ContextParams');

const ALGORITHMS: Readonly<Record<string, Registration>> = {
  'AES-CBC': { ...AES, ...CIPHER('AesCbcParams') },
  'AES-CTR': { ...AES, ...CIPHER('AesCtrParams') },
  'AES-GCM': { ...AES, ...CIPHER('AeadParams') },
  'AES-KW': { ...AES, wrapKey: '-', unwrapKey: '-' },
  'AES-OCB': { ...AES, ...CIPHER('AeadParams') },
  Argon2d: ARGON2,
  Argon2i: ARGON2,
  Argon2id: ARGON2,
  'ChaCha20-Poly1305': { ...PAIR, ...CIPHER('AeadParams'), 'get key length': '-' },
  cSHAKE128: { digest: 'CShakeParams' },
  cSHAKE256: { digest: 'CShakeParams' },
  ECDH: { ...EC, deriveBits: 'EcdhKeyDeriveParams' },
  ECDSA: { ...EC, ...SIGNATURE('EcdsaParams') },
  Ed25519: { ...PAIR, ...SIGNATURE('-') },
  Ed448: { ...PAIR, ...CONTEXT },
  HKDF: { importKey: '-', deriveBits: 'HkdfParams', 'get key length': '-' },
  HMAC: {
    exportKey: '-',
    generateKey: 'HmacKeyParams',
    importKey: 'HmacKeyParams',
    'get key length': 'HmacKeyParams',
    ...SIGNATURE('-'),
  },
  KMAC128: MAC,
  KMAC256: MAC,
  KT128: { digest: 'KangarooTwelveParams' },
  KT256: { digest: 'KangarooTwelveParams' },
  'ML-DSA-44': { ...PAIR, ...CONTEXT },
  'ML-DSA-65': { ...PAIR, ...CONTEXT },
  'ML-DSA-87': { ...PAIR, ...CONTEXT },
  'ML-KEM-512': KEM,
  'ML-KEM-768': KEM,
  'ML-KEM-1024': KEM,
  'MLKEM768-P256': KEM,
  'MLKEM768-X25519': KEM,
  'MLKEM1024-P384': KEM,
  PBKDF2: { importKey: '-', deriveBits: 'Pbkdf2Params', 'get key length': '-' },
  'RSA-OAEP': { ...RSA, ...CIPHER('RsaOaepParams') },
  'RSA-PSS': { ...RSA, ...SIGNATURE('RsaPssParams') },
  'RSASSA-PKCS1-v1_5': { ...RSA, ...SIGNATURE('-') },
  'SHA-1': DIGEST,
  'SHA-256': DIGEST,
  'SHA-384': DIGEST,
  'SHA-512': DIGEST,
  'SHA3-256': DIGEST,
  'SHA3-384': DIGEST,
  'SHA3-512': DIGEST,
  TurboSHAKE128: { digest: 'TurboShakeParams' },
  TurboSHAKE256: { digest: 'TurboShakeParams' },
  X25519: { ...PAIR, deriveBits: 'EcdhKeyDeriveParams' },
  X448: { ...PAIR, deriveBits: 'EcdhKeyDeriveParams' },
};

export interface Algorithm {
  /** As the standard writes it, whatever the case of what was asked for. */
  readonly name: string;
  readonly dictionary: Dictionary;
  readonly dictionaryName: string;
}

// A part is evaluated when a tenant's code has run: nothing here may look at a prototype that it can reach.
const registered = new SafeMap<string, Algorithm>();
const names = reflectOwnKeys(ALGORITHMS) as string[];
for (let i = 0; i < names.length; i++) register(names[i]!, ALGORITHMS[names[i]!]!);

function register(name: string, registration: Registration): void {
  const operations = reflectOwnKeys(registration) as string[];
  for (let i = 0; i < operations.length; i++) {
    const dictionaryName = registration[operations[i]!]!;
    const dictionary = DICTIONARIES[dictionaryName]!;
    registered.set(`${operations[i]!} ${toUpperCase(name)}`, { name, dictionary, dictionaryName });
  }
}

/** The algorithm of that name, in any case, if there is one for the operation. */
export function findAlgorithm(operation: string, name: string): Algorithm | undefined {
  return registered.get(`${operation} ${toUpperCase(name)}`);
}
