/** UTF-8 by V8's own codec: see encoding/kernel.ts for when, engine/text-kernel.ts for how. */
import { HOST_SYNC } from '../abi.ts';
import {
  type Bytes,
  bytesSubarray,
  hostSync,
  isAscii,
  instantiateUncounted,
  stringSlice,
  type TextKernel,
  typedArraySet,
  unfinishedUtf8,
} from '../shared.ts';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  decodeLossy(at: number, length: number): string;
  decodeStrict(at: number, length: number): string | null;
  encode(text: string, at: number): number;
  measure(text: string): number;
}

const MAX_UNIT_BYTES = 3; // a pair of surrogates has 4

export function createTextKernel(): TextKernel | undefined {
  const module = hostSync(HOST_SYNC.textKernel, undefined);
  const instance = module === undefined ? undefined : instantiateUncounted(module);
  return instance === undefined ? undefined : connect(instance as Exports);
}

function connect({ memory, decodeLossy, decodeStrict, encode, measure }: Exports): TextKernel {
  const { buffer } = memory;
  const room = buffer.byteLength;
  const bytesOf = new Uint8Array(buffer);
  const maxUnits = Math.floor(room / MAX_UNIT_BYTES);

  function encodeLong(text: string): Bytes {
    const bytes = new Uint8Array(measure(text));
    writeLong(text, bytes);
    return bytes;
  }

  /** In pieces that part no pair of surrogates. */
  function writeLong(text: string, target: Uint8Array): number {
    let written = 0;
    for (let at = 0; at < text.length;) {
      let end = at + maxUnits;
      if ((text.charCodeAt(end) & 0xfc00) === 0xdc00 && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
      const count = encode(stringSlice(text, at, end), 0);
      typedArraySet(target, new Uint8Array(buffer, 0, count), written);
      written += count;
      at = end;
    }
    return written;
  }

  /** What is in memory. */
  function read(length: number, fatal: boolean): string {
    if (!fatal) return decodeLossy(0, length);
    const text = decodeStrict(0, length);
    if (text === null) throw new TypeError('The encoded data was not valid for encoding utf-8');
    return text;
  }

  function decodeLong(bytes: Bytes, fatal: boolean): string {
    const { length } = bytes;
    let text = '';
    for (let at = 0; at < length;) {
      let piece = bytesSubarray(bytes, at, at + room);
      if (at + room < length) piece = bytesSubarray(piece, 0, room - unfinishedUtf8(piece));
      typedArraySet(bytesOf, piece);
      text += read(piece.length, fatal);
      at += piece.length;
    }
    return text;
  }

  return {
    encode: (text) => {
      if (text.length > maxUnits) return encodeLong(text);
      const count = encode(text, 0);
      const bytes = new Uint8Array(count);
      typedArraySet(bytes, new Uint8Array(buffer, 0, count));
      return bytes;
    },
    encodeInto: (text, target) => {
      const { length } = target;
      if (text.length * MAX_UNIT_BYTES > length && measure(text) > length) return undefined;
      if (text.length > maxUnits) return writeLong(text, target);
      const count = encode(text, 0);
      typedArraySet(target, new Uint8Array(buffer, 0, count));
      return count;
    },
    asciiBytes: (text) => {
      if (text.length > maxUnits) return undefined;
      return encode(text, 0) === text.length ? new Uint8Array(buffer, 0, text.length) : undefined;
    },
    decode: (bytes, fatal) => {
      if (bytes.length > room) return decodeLong(bytes as Bytes, fatal);
      typedArraySet(bytesOf, bytes);
      return read(bytes.length, fatal);
    },
    decodeAscii: (bytes) => {
      const { length } = bytes;
      if (length > room) return undefined;
      typedArraySet(bytesOf, bytes);
      return isAscii(bytes) ? decodeLossy(0, length) : undefined;
    },
  };
}
