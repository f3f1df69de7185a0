/** What a namespace answers, as the values that a program asked for. */
import {
  bodyStream,
  bytesSubarray,
  type BindingAnswer,
  decodeComponent,
  exactBuffer,
  InStream,
  jsonParse,
  NativePromise,
  promiseResolve,
  utf8Decode,
} from '../../core.ts';

export const TYPES = ['text', 'json', 'arrayBuffer', 'stream'] as const;
export type ValueType = (typeof TYPES)[number];

const ABSENT = 0xffffffff;
const FIXED_BYTES = 8;

export function toValue(body: BindingAnswer['body'], type: ValueType): Promise<unknown> {
  if (type === 'stream') {
    const source = body instanceof InStream ? body : new Uint8Array(body ?? new ArrayBuffer(0));
    return promiseResolve(bodyStream({ source, used: false, shared: false }));
  }
  return readWhole(body, (bytes) => {
    if (type === 'arrayBuffer') return bytes.buffer;
    const text = utf8Decode(bytes);
    return type === 'json' ? (jsonParse(text) as unknown) : text;
  });
}

/** As it was put, or null. `encoded`: as heads have it. */
export function toMetadata(encoded: string): unknown {
  return encoded === '' ? null : jsonParse(decodeComponent(encoded));
}

export interface Found {
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly metadata: unknown;
}

/** The answer to `many`: one for each key, in their order. */
export function unpack(bytes: Uint8Array<ArrayBuffer>): Found[] {
  const found: Found[] = [];
  for (let at = 0; at + FIXED_BYTES <= bytes.byteLength;) {
    const length = readU32(bytes, at);
    const start = at + FIXED_BYTES + readU32(bytes, at + 4);
    const metadata = start === at + FIXED_BYTES ? null : (jsonParse(textOf(bytes, at + FIXED_BYTES, start)) as unknown);
    const end = start + (length === ABSENT ? 0 : length);
    found[found.length] = {
      metadata,
      bytes: length === ABSENT ? undefined : bytesSubarray(bytes, start, end),
    };
    at = end;
  }
  return found;
}

/** All bytes of an answer, as `convert` makes them. What it throws rejects. */
export function readWhole<T>(body: BindingAnswer['body'], convert: (bytes: Uint8Array<ArrayBuffer>) => T): Promise<T> {
  return new NativePromise((resolve, reject) => {
    const accept = (buffer: ArrayBuffer | undefined): void => {
      try {
        const bytes = new Uint8Array(buffer ?? new ArrayBuffer(0));
        resolve(convert(bytes.byteLength === 0 ? bytes : new Uint8Array(exactBuffer(bytes, bytes.byteLength))));
      } catch (error) {
        reject(error);
      }
    };
    if (!(body instanceof InStream)) return accept(body);
    body.pull(true, (buffer, _end, failure) => {
      if (failure === undefined) accept(buffer);
      else reject(failure.reason);
    });
  });
}

function textOf(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): string {
  return utf8Decode(bytesSubarray(bytes, start, end));
}

function readU32(bytes: Uint8Array, at: number): number {
  return bytes[at]! + bytes[at + 1]! * 0x100 + bytes[at + 2]! * 0x10000 + bytes[at + 3]! * 0x1000000;
}
