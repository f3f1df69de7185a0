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
import { type Holdings, type Service, type ServiceAnswer, ServiceError } from '../service.ts';
import { type Fields, splitBytes, toCount, toFields, toText } from './fields.ts';
import { Handles } from './handles.ts';
import { describeKey, parseKey, readDer } from './keys.ts';
import { checkPbkdf2, checkScrypt, MAX_DERIVED_BYTES, MAX_RSA_BITS, MAX_SYNC_BYTES } from './limits.ts';

const NOTHING = new Uint8Array(0);
const MAX_ITERATIONS = 2 ** 31 - 1;

type Pair = Readonly<{ publicKey: KeyObject; privateKey: KeyObject }>;

export class NodeCryptoService implements Service {
  readonly #holdings: Holdings;
  readonly #handles: Handles;
  /** One job of an instance at a time in the thread pool, which has four threads for everybody. */
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
    this.#handles = new Handles(holdings);
  }

  async ask(operation: string, parameters: unknown, bytes: Uint8Array | undefined): Promise<ServiceAnswer> {
    const fields = toFields(parameters);
    const job = translate(() => this.#toJob(operation, fields, bytes));
    const turn = this.#last.then(() => {
      if (this.#disposed) throw new ServiceError('Error', 'The instance has gone');
      return run(job);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  askSync(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    if ((bytes?.byteLength ?? 0) > MAX_SYNC_BYTES) {
      throw new ServiceError('Error', `Cannot work on more than ${MAX_SYNC_BYTES} bytes at once`);
    }
    return translate(() => this.#answer(operation, toFields(parameters), bytes));
  }

  dispose(): void {
    this.#disposed = true;
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
  #toJob(operation: string, fields: Fields, bytes: Uint8Array | undefined): () => Promise<ServiceAnswer> {
    switch (operation) {
      case 'pbkdf2': {
        const { password, salt, iterations, length, digest } = toPbkdf2(fields, bytes, false);
        return async () => ({ bytes: await promisify(pbkdf2)(password, salt, iterations, length, digest) });
      }
      case 'scrypt': {
        const { password, salt, length, options, memoryBytes } = toScrypt(fields, bytes, false);
        return () =>
          this.#hold(memoryBytes, async () => ({
            bytes: await new Promise<Buffer>((resolve, reject) => {
              scrypt(password, salt, length, { ...options, maxmem: 2 * memoryBytes }, (error, key) => {
                if (error === null) resolve(key);
                else reject(error);
              });
            }),
          }));
      }
      case 'keyPair': {
        const { type, options } = toKeyPair(fields);
        return async () => describePair(await promisify(generateKeyPair as never as PairMaker)(type, options));
      }
      default:
        return () => Promise.resolve(this.askSync(operation, fields, bytes));
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

async function run(job: () => Promise<ServiceAnswer>): Promise<ServiceAnswer> {
  const startedAt = performance.now();
  try {
    const answer = await job();
    // No thread of the pool has a clock of its own for us: this includes what the system let it wait.
    return { ...answer, cpuUs: (performance.now() - startedAt) * 1e3 };
  } catch (error) {
    throw toGuestError(error);
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
  checkPbkdf2(iterations, length, createHash(digest).digest().byteLength, sync);
  return { password, salt, iterations, length, digest };
}

function toScrypt(fields: Fields, bytes: Uint8Array | undefined, sync: boolean) {
  const [password = NOTHING, salt = NOTHING] = splitBytes(fields, bytes);
  const length = toCount(fields['length'], 'keylen', MAX_DERIVED_BYTES);
  const options = {
    N: toCount(fields['N'], 'N', 2 ** 24),
    r: toCount(fields['r'], 'r', 2 ** 16),
    p: toCount(fields['p'], 'p', 2 ** 16),
  };
  return { password, salt, length, options, memoryBytes: checkScrypt(options, sync) };
}

function toKeyPair(fields: Fields): { type: string; options: object } {
  const type = toText(fields['type'], 'key type');
  if (type === 'rsa') {
    const modulusLength = toCount(fields['modulusLength'], 'modulusLength', MAX_RSA_BITS);
    const publicExponent = toCount(fields['publicExponent'] ?? 65_537, 'publicExponent', 2 ** 31 - 1);
    return { type, options: { modulusLength, publicExponent } };
  }
  if (type === 'ec') return { type, options: { namedCurve: toText(fields['namedCurve'], 'namedCurve') } };
  if (!['ed25519', 'ed448', 'x25519', 'x448'].includes(type))
    throw new TypeError(`Keys of type ${type} are not available here`);
  return { type, options: {} };
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
