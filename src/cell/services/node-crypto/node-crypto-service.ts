/** What node:crypto in a guest asks of Node's own, within bounds. */
import {
  type BinaryLike,
  createHash,
  diffieHellman,
  generateKeyPair,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  pbkdf2,
  pbkdf2Sync,
  privateDecrypt,
  publicEncrypt,
  scrypt,
  scryptSync,
  type SignKeyObjectInput,
  sign,
  verify,
  type VerifyKeyObjectInput,
} from 'node:crypto';
import { promisify } from 'node:util';
import { heavyLane } from '../crypto/index.ts';
import { type Asker, type Holdings, type Service, type ServiceAnswer, ServiceError } from '../service.ts';
import { type Fields, splitBytes, toCount, toFields, toText } from './fields.ts';
import { Handles } from './handles.ts';
import { describeKey, parseKey, readDer } from './keys.ts';
import { checkPbkdf2, checkScrypt, MAX_DERIVED_BYTES, MAX_RSA_BITS, MAX_SYNC_BYTES, rsaPairUs } from './limits.ts';

const NOTHING = new Uint8Array(0);
const MAX_ITERATIONS = 2 ** 31 - 1;
const CURVE_PAIR_US = 500;

type Pair = Readonly<{ publicKey: KeyObject; privateKey: KeyObject }>;

export class NodeCryptoService implements Service {
  readonly #holdings: Holdings;
  readonly #handles: Handles;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
    this.#handles = new Handles(holdings);
  }

  async ask(
    operation: string,
    parameters: unknown,
    bytes: Uint8Array | undefined,
    asker: Asker,
  ): Promise<ServiceAnswer> {
    const fields = toFields(parameters);
    const { us, start } = translate(() => this.#toJob(operation, fields, bytes));
    return heavyLane.run(this, asker, () => charged(start, us, asker));
  }

  askSync(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    if ((bytes?.byteLength ?? 0) > MAX_SYNC_BYTES) {
      throw new ServiceError('Error', `Cannot work on more than ${MAX_SYNC_BYTES} bytes at once`);
    }
    return translate(() => this.#answer(operation, toFields(parameters), bytes));
  }

  dispose(): void {
    heavyLane.drop(this);
    this.#handles.dispose();
  }

  #answer(operation: string, fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
    const handles = this.#handles;
    switch (operation) {
      case 'digest':
        return handles.digest(fields, bytes);
      case 'openHash':
        return handles.openHash(fields, bytes);
      case 'openCipher':
        return handles.openCipher(fields, bytes);
      case 'update':
        return handles.update(fields, bytes);
      case 'final':
        return handles.final(fields);
      case 'copy':
        return handles.copy(fields);
      case 'close':
        handles.close(fields['id']);
        return {};
      case 'setUp':
        return handles.setUp(fields, bytes);
      case 'key':
        return parseKey(fields, bytes ?? NOTHING);
      case 'exportKey':
        return exportKey(fields, bytes ?? NOTHING);
      case 'sign':
        return signOrVerify(fields, bytes);
      case 'encrypt':
        return encryptOrDecrypt(fields, bytes);
      case 'agree': {
        const [ours = NOTHING, theirs = NOTHING] = splitBytes(fields, bytes);
        return { bytes: diffieHellman({ privateKey: readDer(ours, 'private'), publicKey: readDer(theirs, 'public') }) };
      }
      case 'pbkdf2': {
        const { password, salt, iterations, length, digest } = toPbkdf2(fields, bytes, true);
        return { bytes: pbkdf2Sync(password, salt, iterations, length, digest) };
      }
      case 'scrypt': {
        const { password, salt, length, options, memoryBytes } = toScrypt(fields, bytes, true);
        return { bytes: scryptSync(password, salt, length, { ...options, maxmem: 2 * memoryBytes }) };
      }
      case 'hkdf': {
        const [key = NOTHING, salt = NOTHING, info = NOTHING] = splitBytes(fields, bytes);
        const length = toCount(fields['length'], 'keylen', MAX_DERIVED_BYTES);
        return { bytes: new Uint8Array(hkdfSync(toText(fields['digest'], 'digest'), key, salt, info, length)) };
      }
      case 'keyPair': {
        const { type, options } = toKeyPair(fields);
        if (type === 'rsa')
          throw new ServiceError('Error', 'generateKeyPairSync() of RSA takes too long: call generateKeyPair()');
        return describePair(generateKeyPairSync(type as 'ed25519', options as never));
      }
      default:
        throw new ServiceError('Error', 'There is no such operation');
    }
  }

  /** What takes long, for the thread pool. Refused before it starts, or never stopped. */
  #toJob(operation: string, fields: Fields, bytes: Uint8Array | undefined): Job {
    switch (operation) {
      case 'pbkdf2': {
        const { password, salt, iterations, length, digest, us } = toPbkdf2(fields, bytes, false);
        return {
          us,
          start: async () => ({ bytes: await promisify(pbkdf2)(password, salt, iterations, length, digest) }),
        };
      }
      case 'scrypt': {
        const { password, salt, length, options, memoryBytes, us } = toScrypt(fields, bytes, false);
        const start = (): Promise<ServiceAnswer> =>
          this.#hold(memoryBytes, async () => ({
            bytes: await new Promise<Buffer>((resolve, reject) => {
              scrypt(password, salt, length, { ...options, maxmem: 2 * memoryBytes }, (error, key) => {
                if (error === null) resolve(key);
                else reject(error);
              });
            }),
          }));
        return { us, start };
      }
      case 'keyPair': {
        const { type, options, us } = toKeyPair(fields);
        const make = promisify(generateKeyPair as never as PairMaker);
        return { us, start: async () => describePair(await make(type, options)) };
      }
      default:
        throw new ServiceError('Error', 'There is no such operation');
    }
  }

  async #hold<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (this.#holdings.heldBytes + bytes > this.#holdings.maxHeldBytes) {
      throw new ServiceError('Error', 'The operation would take more memory than the Worker has');
    }
    this.#holdings.heldBytes += bytes;
    try {
      return await work();
    } finally {
      this.#holdings.heldBytes -= bytes;
    }
  }
}

type PairMaker = (type: string, options: object, callback: (error: Error | null, pair: Pair) => void) => void;

interface Job {
  /** What it takes, by estimate. */
  readonly us: number;
  readonly start: () => Promise<ServiceAnswer>;
}

/** The estimate in advance, so that ending the invocation does not save it; what it took beyond that, within reason. */
async function charged(start: Job['start'], us: number, asker: Asker): Promise<ServiceAnswer> {
  asker.cpuUs += us;
  const startedAt = performance.now();
  try {
    return await start();
  } catch (error) {
    throw toGuestError(error);
  } finally {
    const tookUs = Math.min((performance.now() - startedAt) * 1e3, 2 * us);
    asker.cpuUs += Math.max(tookUs - us, 0);
  }
}

function translate<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toGuestError(error);
  }
}

/** What OpenSSL and Node say of keys, digests and data is meant for the program. The code goes in front. */
function toGuestError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ServiceError) return error;
  const { code } = error as { code?: unknown };
  const message = typeof code === 'string' ? `${code}: ${error.message}` : error.message;
  if (error instanceof RangeError) return new ServiceError('RangeError', message);
  return new ServiceError(error instanceof TypeError ? 'TypeError' : 'Error', message);
}

function toPbkdf2(fields: Fields, bytes: Uint8Array | undefined, sync: boolean) {
  const [password = NOTHING, salt = NOTHING] = splitBytes(fields, bytes);
  const iterations = toCount(fields['iterations'], 'iterations', MAX_ITERATIONS);
  const length = toCount(fields['length'], 'keylen', MAX_DERIVED_BYTES);
  const digest = toText(fields['digest'], 'digest');
  const us = checkPbkdf2(iterations, length, createHash(digest).digest().byteLength, sync);
  return { password, salt, iterations, length, digest, us };
}

function toScrypt(fields: Fields, bytes: Uint8Array | undefined, sync: boolean) {
  const [password = NOTHING, salt = NOTHING] = splitBytes(fields, bytes);
  const length = toCount(fields['length'], 'keylen', MAX_DERIVED_BYTES);
  const options = {
    N: toCount(fields['N'], 'N', 2 ** 24),
    r: toCount(fields['r'], 'r', 2 ** 16),
    p: toCount(fields['p'], 'p', 2 ** 16),
  };
  return { password, salt, length, options, ...checkScrypt(options, sync) };
}

function toKeyPair(fields: Fields): { type: string; options: object; us: number } {
  const type = toText(fields['type'], 'key type');
  if (type === 'rsa') {
    const modulusLength = toCount(fields['modulusLength'], 'modulusLength', MAX_RSA_BITS);
    const publicExponent = toCount(fields['publicExponent'] ?? 65_537, 'publicExponent', 2 ** 31 - 1);
    return { type, options: { modulusLength, publicExponent }, us: rsaPairUs(modulusLength) };
  }
  if (type === 'ec')
    return { type, options: { namedCurve: toText(fields['namedCurve'], 'namedCurve') }, us: CURVE_PAIR_US };
  if (!['ed25519', 'ed448', 'x25519', 'x448'].includes(type))
    throw new TypeError(`Keys of type ${type} are not available here`);
  return { type, options: {}, us: CURVE_PAIR_US };
}

function describePair({ publicKey, privateKey }: Pair): ServiceAnswer {
  return { value: { publicKey: describeKey(publicKey).value, privateKey: describeKey(privateKey).value } };
}

function signOrVerify(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
  const [material = NOTHING, data = NOTHING, signature] = splitBytes(fields, bytes);
  const { padding, saltLength, dsaEncoding } = fields;
  const algorithm = fields['algorithm'] === undefined ? null : toText(fields['algorithm'], 'digest');
  const key = readDer(material, fields['kind']);
  const input: SignKeyObjectInput & VerifyKeyObjectInput = {
    key,
    ...(padding !== undefined && { padding: toCount(padding, 'padding', 16) }),
    ...(saltLength !== undefined && { saltLength: toSaltLength(saltLength) }),
    ...(dsaEncoding !== undefined && { dsaEncoding: dsaEncoding === 'ieee-p1363' ? 'ieee-p1363' : 'der' }),
  };
  return signature === undefined
    ? { bytes: sign(algorithm, data, input) }
    : { value: verify(algorithm, data, input, signature) };
}

/** -1 is that of the digest, -2 the most there can be. */
function toSaltLength(value: unknown): number {
  return value === -1 || value === -2 ? value : toCount(value, 'saltLength', 512);
}

function encryptOrDecrypt(fields: Fields, bytes: Uint8Array | undefined): ServiceAnswer {
  const [material = NOTHING, data = NOTHING, label] = splitBytes(fields, bytes);
  const decrypts = fields['decrypts'] === true;
  const { padding, oaepHash } = fields;
  const input = {
    key: readDer(material, fields['kind']),
    ...(padding !== undefined && { padding: toCount(padding, 'padding', 16) }),
    ...(oaepHash !== undefined && { oaepHash: toText(oaepHash, 'oaepHash') }),
    ...(label !== undefined && { oaepLabel: label as BinaryLike & Uint8Array<ArrayBuffer> }),
  };
  return { bytes: decrypts ? privateDecrypt(input, data) : publicEncrypt(input, data) };
}

function exportKey(fields: Fields, material: Uint8Array): ServiceAnswer {
  const key = readDer(material, fields['kind']);
  const format = toText(fields['format'], 'format');
  if (format === 'jwk') return { value: key.export({ format }) };
  const type = toText(fields['type'], 'key type');
  const exported = key.export({ format: format === 'pem' ? 'pem' : 'der', type } as never) as unknown as
    | Buffer
    | string;
  return typeof exported === 'string' ? { value: exported } : { bytes: exported };
}
