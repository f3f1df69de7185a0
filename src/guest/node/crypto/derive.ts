/** Keys from passwords and from other keys. */
import { ask } from '../../core.ts';
import { checkFunction, checkInteger, checkString } from '../errors.ts';
import { type Bytes, call, join, settle, toBuffer, toBytes } from './bytes.ts';

const MAX_BYTES = 2 ** 31 - 1;

type Question = readonly [operation: string, parameters: object, parts: readonly Bytes[]];

function now([operation, parameters, parts]: Question): Bytes {
  return call(operation, parameters, ...parts).bytes;
}

function later([operation, parameters, parts]: Question, callback: unknown): void {
  checkFunction(callback, 'callback');
  const { lengths, bytes } = join(parts);
  settle(
    ask(`node-crypto.${operation}`, { ...parameters, lengths }, bytes).then((answer) => toBuffer(answer.bytes)),
    callback,
  );
}

function toPbkdf2(password: unknown, salt: unknown, [iterations, length, digest]: readonly unknown[]): Question {
  checkString(digest, 'digest');
  const parts = [toBytes(password, 'password'), toBytes(salt, 'salt')];
  checkInteger(iterations, 'iterations', 1, MAX_BYTES);
  checkInteger(length, 'keylen', 0, MAX_BYTES);
  return ['pbkdf2', { iterations, length, digest }, parts];
}

export function pbkdf2Sync(password: unknown, salt: unknown, ...rest: unknown[]): Bytes {
  return now(toPbkdf2(password, salt, rest));
}

export function pbkdf2(password: unknown, salt: unknown, ...rest: unknown[]): void {
  later(toPbkdf2(password, salt, rest), rest[3]);
}

interface ScryptOptions {
  readonly N?: number;
  readonly cost?: number;
  readonly r?: number;
  readonly blockSize?: number;
  readonly p?: number;
  readonly parallelization?: number;
}

function toScrypt(password: unknown, salt: unknown, length: unknown, options: ScryptOptions = {}): Question {
  const parts = [toBytes(password, 'password'), toBytes(salt, 'salt')];
  checkInteger(length, 'keylen', 0, MAX_BYTES);
  const { N = options.cost ?? 16_384, r = options.blockSize ?? 8, p = options.parallelization ?? 1 } = options;
  return ['scrypt', { length, N, r, p }, parts];
}

export function scryptSync(password: unknown, salt: unknown, length: unknown, options?: ScryptOptions): Bytes {
  return now(toScrypt(password, salt, length, options));
}

export function scrypt(password: unknown, salt: unknown, length: unknown, ...rest: unknown[]): void {
  const options = rest.length > 1 ? (rest[0] as ScryptOptions) : undefined;
  later(toScrypt(password, salt, length, options), rest.at(-1));
}

/** The order is that of Node's parameters. */
function toHkdf([digest, key, salt, info, length]: readonly unknown[]): Question {
  checkString(digest, 'digest');
  const parts = [toBytes(key, 'ikm'), toBytes(salt, 'salt'), toBytes(info, 'info')];
  checkInteger(length, 'length', 0, MAX_BYTES);
  return ['hkdf', { digest, length }, parts];
}

export function hkdfSync(...args: unknown[]): ArrayBuffer {
  return now(toHkdf(args)).slice().buffer;
}

export function hkdf(...args: unknown[]): void {
  const callback = args[5];
  checkFunction(callback, 'callback');
  settle(
    Promise.resolve().then(() => hkdfSync(...args)),
    callback,
  );
}
