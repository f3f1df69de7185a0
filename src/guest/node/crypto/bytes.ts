/** What programs give as data, and how it travels to the host. */
import { askSync, loadPart } from '../../core.ts';
import type * as buffers from '../../parts/node-buffer.ts';
import { checkFunction, invalidArgType, nodeError } from '../errors.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

interface Buffers {
  from(value: unknown, encoding?: string): Bytes;
  from(buffer: ArrayBuffer, offset: number, length: number): Bytes;
  concat(list: readonly Uint8Array[]): Bytes;
  isEncoding(name: string): boolean;
}

export const Buffer = (loadPart('node-buffer') as typeof buffers).Buffer as unknown as Buffers;

/** A view of what was given: text in its encoding, or bytes of any kind. */
export function toBytes(value: unknown, name: string, encoding?: string): Bytes {
  if (typeof value === 'string') {
    return Buffer.from(value, encoding !== undefined && Buffer.isEncoding(encoding) ? encoding : 'utf8');
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  const secret = (value as { secretBytes?: unknown } | null | undefined)?.secretBytes;
  if (secret instanceof Uint8Array) return secret as Bytes;
  throw invalidArgType(name, 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
}

/** Byte strings as one, and where each ends. */
export function join(parts: readonly Uint8Array[]): { lengths: number[]; bytes: ArrayBuffer } {
  const lengths = parts.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { lengths, bytes: bytes.buffer };
}

/** Asks at once; what went wrong has the code that Node gives it. */
export function call(
  operation: string,
  parameters: object,
  ...parts: readonly Uint8Array[]
): { value: unknown; bytes: Bytes } {
  const { lengths, bytes } = join(parts);
  try {
    const answer = askSync(`node-crypto.${operation}`, { ...parameters, lengths }, bytes);
    return { value: answer.value, bytes: toBuffer(answer.bytes) };
  } catch (error) {
    throw withCode(error);
  }
}

export function toBuffer(bytes: ArrayBuffer | undefined): Bytes {
  return Buffer.from(bytes ?? new ArrayBuffer(0), 0, bytes?.byteLength ?? 0);
}

/** The host puts a code in front of a message. */
export function withCode(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [, code, message] = /^(ERR_\w+): ([^]*)$/.exec(error.message) ?? [];
  if (code === undefined || message === undefined) return error;
  return nodeError(error.constructor as ErrorConstructor, code, message);
}

export function toOutput(bytes: Bytes, encoding: unknown): unknown {
  if (encoding === undefined || encoding === null || encoding === 'buffer') return bytes;
  return (bytes as unknown as { toString(encoding: unknown): string }).toString(encoding);
}

/** Gives a promise's result to a callback, which is called from no promise: what it throws is not a rejection. */
export function settle(promise: Promise<unknown>, callback: unknown): void {
  checkFunction(callback, 'callback');
  const done = callback as (...args: unknown[]) => void;
  promise.then(
    (value) => queueMicrotask(() => done(null, value)),
    (error: unknown) => queueMicrotask(() => done(withCode(error))),
  );
}
