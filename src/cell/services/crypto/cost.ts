/**
 * What an operation may cost, judged before it starts: once it runs on a thread of libuv's pool, nothing can stop it.
 * The times are lower bounds, of a fast machine: they are charged in advance, and corrected by what was measured.
 */
import {
  MAX_ARGON2_MEMORY_KIB,
  MAX_ARGON2_WORK_KIB,
  MAX_CRYPTO_OUTPUT_BYTES,
  MAX_KEY_DATA_BYTES,
  MAX_PBKDF2_ROUNDS,
  MAX_RSA_BITS,
  MAX_RSA_GENERATED_BITS,
} from '../../../limits.ts';
import { ServiceError } from '../service.ts';

export interface Cost {
  /** Takes long enough that others should not wait for it. */
  readonly heavy: boolean;
  /** At least. */
  readonly cpuUs: number;
  /** Taken while it runs. */
  readonly bytes: number;
}

const LIGHT_MOST_US = 10_000; // a signature by the largest RSA key
const LIGHT_MOST_US_PER_BYTE = 0.02; // SHA3-512 takes 0.006

const LIGHT: Cost = { heavy: false, cpuUs: 0, bytes: 0 };
const HEAVY_US = 2_000;
const PBKDF2_ROUND_US = 0.1; // 100,000 of SHA-256 take 13.5 ms, of SHA-512 39 ms, of SHA3-512 109 ms
const ARGON2_KIB_US = 1; // 64 MiB in three passes take 258 ms
const RSA_GENERATION_US: readonly (readonly [bits: number, cpuUs: number])[] = [
  [1_024, 2_000],
  [2_048, 15_000],
  [3_072, 50_000],
  [MAX_RSA_GENERATED_BITS, 120_000],
]; // when the first candidates are primes; on average it takes five to eight times as long
// The Fermat primes that everybody uses. Generation for others takes up to five times as long.
const RSA_EXPONENTS = new Set(['03', '010001']);
const DEFAULT_KEY_BITS = 1_024; // the longest that a derived key is when its algorithm does not say
const HASH_BITS: Readonly<Record<string, number>> = {
  'SHA-1': 160,
  'SHA-256': 256,
  'SHA-384': 384,
  'SHA-512': 512,
  'SHA3-256': 256,
  'SHA3-384': 384,
  'SHA3-512': 512,
};

type Parameters = Readonly<Record<string, unknown>>;

/** Throws what the guest is to see when an operation would cost too much. */
export function judge(method: string, values: readonly unknown[]): Cost {
  switch (method) {
    case 'generateKey':
      return judgeGeneration(toParameters(values[0]));
    case 'deriveBits':
      return judgeDerivation(toParameters(values[0]), values[2]);
    case 'deriveKey':
      return judgeDerivation(toParameters(values[0]), toParameters(values[2])['length'] ?? DEFAULT_KEY_BITS);
    case 'importKey':
    case 'unwrapKey':
      return judgeKeyData(values[1]);
    default:
      checkOutput(toParameters(values[0])['outputLength']);
      return LIGHT;
  }
}

/** The most that can be charged: what passed beyond it, others have computed. */
export function mostCpuUs({ heavy }: Cost, byteLength: number): number {
  return heavy ? Infinity : LIGHT_MOST_US + byteLength * LIGHT_MOST_US_PER_BYTE;
}

/** After a key was imported: what is computed with it later takes time by its size. */
export function checkKey(algorithm: object): void {
  const { modulusLength } = algorithm as { modulusLength?: number };
  if (modulusLength !== undefined && modulusLength > MAX_RSA_BITS) {
    throw new ServiceError(
      'NotSupportedError',
      `Cannot import an RSA key: its modulus is ${modulusLength} bits, limit is ${MAX_RSA_BITS}`,
    );
  }
}

function judgeGeneration({ name, modulusLength, publicExponent, length }: Parameters): Cost {
  if (!String(name).startsWith('RSA')) {
    checkOutput(length);
    return LIGHT;
  }
  const bits = Number(modulusLength);
  if (bits > MAX_RSA_GENERATED_BITS) {
    throw new ServiceError(
      'OperationError',
      `Cannot generate an RSA key: modulusLength is ${bits}, limit is ${MAX_RSA_GENERATED_BITS}`,
    );
  }
  if (!(publicExponent instanceof Uint8Array) || !RSA_EXPONENTS.has(withoutLeadingZeros(publicExponent))) {
    throw new ServiceError('OperationError', 'Cannot generate an RSA key: publicExponent has to be 3 or 65537');
  }
  const cpuUs = RSA_GENERATION_US.find(([upTo]) => !(bits > upTo))![1];
  return { heavy: true, cpuUs, bytes: 0 };
}

function judgeDerivation({ name, hash, iterations, memory, passes }: Parameters, bits: unknown): Cost {
  checkOutput(bits);
  if (name === 'PBKDF2') {
    const hashBits = HASH_BITS[String(toParameters(hash)['name'])] ?? 0;
    const blocks = Math.max(Math.ceil(Number(bits ?? 0) / (hashBits || Number(bits))) || 1, 1);
    return judgePbkdf2(Number(iterations) * blocks);
  }
  if (!String(name).startsWith('Argon2')) return LIGHT;
  const memoryKib = Number(memory);
  const workKib = memoryKib * Number(passes);
  if (memoryKib > MAX_ARGON2_MEMORY_KIB || workKib > MAX_ARGON2_WORK_KIB) {
    throw new ServiceError(
      'OperationError',
      `Cannot derive: memory is ${memoryKib} KiB, limit is ${MAX_ARGON2_MEMORY_KIB}; times passes it is ${workKib}, limit is ${MAX_ARGON2_WORK_KIB}`,
    );
  }
  return { heavy: true, cpuUs: workKib * ARGON2_KIB_US, bytes: memoryKib * 1024 };
}

function judgePbkdf2(rounds: number): Cost {
  if (rounds > MAX_PBKDF2_ROUNDS) {
    throw new ServiceError(
      'NotSupportedError',
      `Cannot derive: iterations for each block of output together are ${rounds}, limit is ${MAX_PBKDF2_ROUNDS}`,
    );
  }
  const cpuUs = rounds * PBKDF2_ROUND_US;
  return { heavy: cpuUs > HEAVY_US, cpuUs, bytes: 0 };
}

function judgeKeyData(data: unknown): Cost {
  const length = data instanceof Uint8Array ? data.length : JSON.stringify(data).length;
  if (length > MAX_KEY_DATA_BYTES) {
    throw new ServiceError(
      'DataError',
      `Cannot import a key: its data is ${length} bytes, limit is ${MAX_KEY_DATA_BYTES}`,
    );
  }
  return LIGHT;
}

function checkOutput(bits: unknown): void {
  if (typeof bits !== 'number' || bits <= MAX_CRYPTO_OUTPUT_BYTES * 8) return;
  throw new ServiceError(
    'OperationError',
    `Cannot produce ${Math.ceil(bits / 8)} bytes: limit is ${MAX_CRYPTO_OUTPUT_BYTES}`,
  );
}

function toParameters(value: unknown): Parameters {
  return typeof value === 'object' && value !== null ? (value as Parameters) : {};
}

function withoutLeadingZeros(bytes: Uint8Array): string {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start < 0 ? '' : bytes.subarray(start).toHex();
}
