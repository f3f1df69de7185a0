/** What an operation of node:crypto may take, in µs, by an estimate made before it starts. Each check answers it. */
import { ServiceError } from '../service.ts';

/** Of one question that is answered at once: hashing so much takes 0.1 to 0.5 ms. */
export const MAX_SYNC_BYTES = 256 * 1024;
/** Hashes and ciphers that an instance may have under way. */
export const MAX_HANDLES = 512;
/** What one takes outside the isolate, about. */
export const HANDLE_BYTES = 1_024;
export const MAX_DERIVED_BYTES = 64 * 1024;
/** Signing with an RSA key of 4,096 bits takes 3 ms; the time grows with the cube. */
export const MAX_RSA_BITS = 4_096;
export const MAX_KEY_BYTES = 16 * 1024;

const MAX_SYNC_US = 5_000; // the thread serves everybody
const MAX_POOLED_US = 1_000_000; // a job of the thread pool cannot be stopped
const MAX_SCRYPT_BYTES = 64 * 1024 * 1024;
const ROUND_US = 0.5; // one iteration of PBKDF2: an HMAC of a short text
const SCRYPT_BLOCK_US = 0.35; // for each N, r and p: 16,384 * 8 take 45 ms

export function checkPbkdf2(iterations: number, keyBytes: number, digestBytes: number, sync: boolean): number {
  const blocks = Math.max(Math.ceil(keyBytes / digestBytes), 1);
  return checkTime('pbkdf2', iterations * blocks * ROUND_US, sync);
}

export function checkScrypt(
  { N, r, p }: { N: number; r: number; p: number },
  sync: boolean,
): { us: number; memoryBytes: number } {
  const bytes = 128 * N * r + 128 * r * p;
  if (bytes > MAX_SCRYPT_BYTES) {
    throw new RangeError(`Invalid scrypt params: they take ${bytes} bytes of memory, the limit is ${MAX_SCRYPT_BYTES}`);
  }
  return { us: checkTime('scrypt', N * r * p * SCRYPT_BLOCK_US, sync), memoryBytes: bytes };
}

/** A key of 2,048 bits takes 100 ms on average, and the time grows with the fourth power. */
export function rsaPairUs(bits: number): number {
  return (bits / 2_048) ** 4 * 100_000;
}

function checkTime(name: string, us: number, sync: boolean): number {
  if (us <= (sync ? MAX_SYNC_US : MAX_POOLED_US)) return us;
  const ms = Math.ceil(us / 1_000);
  throw new ServiceError(
    'Error',
    sync
      ? `${name}Sync() with these parameters takes about ${ms} ms, and may take ${MAX_SYNC_US / 1_000}: call ${name}(), which works beside the thread that serves everybody`
      : `${name}() with these parameters takes about ${ms} ms, and may take ${MAX_POOLED_US / 1_000}`,
  );
}
