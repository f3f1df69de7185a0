/**
 * `node:buffer`. Called by parts/node-buffer.ts.
 * Promise: as Node, but for the pool (each buffer has an ArrayBuffer of its own) and for what needs a file system.
 * Start at buffer.ts.
 */
import { atob, Blob, btoa, File, utf8Decode } from '../../core.ts';
import { invalidArgType, nodeError, notAvailable } from '../errors.ts';
import { Buffer, MAX_LENGTH, MAX_STRING_LENGTH, state } from './buffer.ts';
import { type Bytes, findEncoding } from './encodings.ts';

const NativeBuffer = Buffer as unknown as { from(bytes: Bytes): Buffer; prototype: object };

const constants = { MAX_LENGTH, MAX_STRING_LENGTH };

function toView(input: unknown): Bytes {
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer as ArrayBuffer, input.byteOffset, input.byteLength);
  throw invalidArgType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input);
}

function isAscii(input: unknown): boolean {
  return toView(input).every((byte) => byte < 0x80);
}

function isUtf8(input: unknown): boolean {
  try {
    utf8Decode(toView(input), true);
    return true;
  } catch {
    return false;
  }
}

function transcode(source: unknown, fromName: string, toName: string): Buffer {
  if (!(source instanceof Uint8Array)) throw invalidArgType('source', 'an instance of Buffer or Uint8Array', source);
  const from = findEncoding(fromName);
  const to = findEncoding(toName);
  const known = ['utf8', 'utf16le', 'latin1', 'ascii'];
  if (from === undefined || to === undefined || !known.includes(from.name) || !known.includes(to.name)) {
    throw nodeError(Error, 'U_ILLEGAL_ARGUMENT_ERROR', 'Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]');
  }
  const text = from.decode(toView(source));
  const limit = to.name === 'ascii' ? 0x7f : to.name === 'latin1' ? 0xff : 0xffff;
  let fitted = '';
  for (const character of text) fitted += character.codePointAt(0)! > limit && limit < 0xffff ? '?' : character;
  return NativeBuffer.from(to.encode(fitted));
}

function SlowBuffer(length: number): Buffer {
  return (Buffer as unknown as { allocUnsafeSlow(length: number): Buffer }).allocUnsafeSlow(length);
}

export const bufferModule = {
  Blob,
  Buffer,
  File,
  SlowBuffer,
  atob,
  btoa,
  constants,
  isAscii,
  isUtf8,
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_STRING_LENGTH,
  resolveObjectURL(): never {
    throw notAvailable('buffer.resolveObjectURL');
  },
  transcode,
  get INSPECT_MAX_BYTES(): number {
    return state.inspectMaxBytes;
  },
  set INSPECT_MAX_BYTES(count: number) {
    state.inspectMaxBytes = count;
  },
};
