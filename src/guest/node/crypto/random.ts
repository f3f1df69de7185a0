/** Random values, drawn through the pool of `crypto.getRandomValues`. */
import { randomBytes as draw } from '../../core.ts';
import { checkInteger, invalidArgType, nodeError, outOfRange } from '../errors.ts';
import { Buffer, type Bytes, settle } from './bytes.ts';

const MAX_DRAW = 65_536; // of one question to the host
const MAX_RANGE = 2 ** 48 - 1;

function fill(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += MAX_DRAW) bytes.set(draw(Math.min(MAX_DRAW, bytes.length - at)), at);
}

export function randomBytes(size: unknown, callback?: unknown): Bytes {
  checkInteger(size, 'size', 0, 2 ** 31 - 1);
  const bytes = Buffer.from(new ArrayBuffer(size), 0, size);
  fill(bytes);
  if (callback !== undefined) settle(Promise.resolve(bytes), callback);
  return callback === undefined ? bytes : (undefined as never);
}

export function randomFillSync<T>(target: T, offset = 0, size?: number): T {
  const isBuffer = target instanceof ArrayBuffer;
  if (!isBuffer && !ArrayBuffer.isView(target))
    throw invalidArgType('buf', 'an instance of ArrayBuffer or ArrayBufferView', target);
  const unit = isBuffer ? 1 : ((target as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1);
  const all = isBuffer ? new Uint8Array(target) : new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  const start = offset * unit;
  const end = size === undefined ? all.length : start + size * unit;
  if (start > all.length || start < 0) throw outOfRange('offset', `>= 0 && <= ${all.length / unit}`, offset);
  if (end > all.length) throw outOfRange('size + offset', `<= ${all.length / unit}`, (size ?? 0) + offset);
  fill(all.subarray(start, end));
  return target;
}

export function randomFill(target: unknown, ...rest: unknown[]): void {
  const callback = rest.pop();
  const [offset, size] = rest as number[];
  settle(Promise.resolve(randomFillSync(target, offset, size)), callback);
}

export function randomInt(...args: unknown[]): number | undefined {
  const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
  const [min, max] = args.length === 1 ? [0, args[0]] : args;
  if (!Number.isSafeInteger(min)) throw invalidArgType('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw invalidArgType('max', 'a safe integer', max);
  const [low, high] = [min as number, max as number];
  if (high <= low) throw outOfRange('max', `greater than the value of "min" (${low})`, high);
  const range = high - low;
  if (range > MAX_RANGE) throw outOfRange(args.length === 1 ? 'max' : 'max - min', `<= ${MAX_RANGE}`, range);
  const limit = 2 ** 48 - (2 ** 48 % range);
  let value: number;
  do value = draw(6).reduce((sum, byte) => sum * 256 + byte, 0);
  while (value >= limit); // what is above would make small values likelier
  const result = low + (value % range);
  if (callback === undefined) return result;
  settle(Promise.resolve(result), callback);
  return undefined;
}

/** Looks at every byte, whatever the first ones are. */
export function timingSafeEqual(a: unknown, b: unknown): boolean {
  const toView = (value: unknown, name: string): Uint8Array => {
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw invalidArgType(name, 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
  };
  const left = toView(a, 'buf1');
  const right = toView(b, 'buf2');
  if (left.length !== right.length) {
    throw nodeError(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= left[i]! ^ right[i]!;
  return difference === 0;
}
