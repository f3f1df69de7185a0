/** UTF-8 by V8's own codec: see encoding/kernel.ts for when, engine/text-kernel.ts for how. */
import { HOST_SYNC } from '../abi.ts';
import {
  type Bytes,
  bytesSubarray,
  charCodeAt,
  hostSync,
  instantiateUncounted,
  stringSlice,
  type TextKernel,
  typedArraySet,
  unfinishedUtf8,
  utf8ToUnits,
} from '../shared.ts';

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  decodeAscii(at: number, length: number): string;
  decodeUnits(at: number, count: number): string;
  encode(text: string, at: number): number;
  measure(text: string): number;
}

const MAX_UNIT_BYTES = 3; // a pair of surrogates has 4

export function createTextKernel(): TextKernel | undefined {
  const module = hostSync(HOST_SYNC.textKernel, undefined);
  const instance = module === undefined ? undefined : instantiateUncounted(module);
  return instance === undefined ? undefined : connect(instance as Exports);
}

function connect({ memory, decodeAscii, decodeUnits, encode, measure }: Exports): TextKernel {
  const { buffer } = memory;
  const room = buffer.byteLength;
  const bytesOf = new Uint8Array(buffer);
  const maxUnits = Math.floor(room / MAX_UNIT_BYTES);
  const units = new Uint16Array(buffer);
  // oxlint-disable-next-line typescript/no-explicit-any -- spares assertions: every index is below the length
  const w: ArrayLike<any> = new Int32Array(buffer);
  const maxBytes = units.length; // each byte may become a code unit

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
      if ((charCodeAt(text, end) & 0xfc00) === 0xdc00 && (charCodeAt(text, end - 1) & 0xfc00) === 0xd800) end--;
      const count = encode(stringSlice(text, at, end), 0);
      typedArraySet(target, new Uint8Array(buffer, 0, count), written);
      written += count;
      at = end;
    }
    return written;
  }

  /** Of what is in memory. */
  function isAscii(length: number): boolean {
    const blocks = (length >> 5) << 3;
    let any = 0;
    // Spelled out, 32 bytes at a time: half the time of a loop by words.
    for (let i = 0; i < blocks; i += 8) {
      any |= w[i] | w[i + 1] | w[i + 2] | w[i + 3] | w[i + 4] | w[i + 5] | w[i + 6] | w[i + 7];
    }
    for (let i = blocks << 2; i < length; i++) any |= bytesOf[i] as number;
    return (any & 0x80808080) === 0;
  }

  function decodePiece(bytes: Uint8Array, fatal: boolean): string {
    const { length } = bytes;
    typedArraySet(bytesOf, bytes);
    // Where there is more than ASCII, V8's own decoder takes twice the time of ours.
    return isAscii(length) ? decodeAscii(0, length) : decodeUnits(0, utf8ToUnits(bytes, units, fatal));
  }

  function decodeLong(bytes: Bytes, fatal: boolean): string {
    const { length } = bytes;
    let text = '';
    for (let at = 0; at < length;) {
      let piece = bytesSubarray(bytes, at, at + maxBytes);
      if (at + maxBytes < length) piece = bytesSubarray(piece, 0, maxBytes - unfinishedUtf8(piece));
      text += decodePiece(piece, fatal);
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
    decode: (bytes, fatal) => (bytes.length > maxBytes ? decodeLong(bytes as Bytes, fatal) : decodePiece(bytes, fatal)),
    decodeAscii: (bytes) => {
      const { length } = bytes;
      if (length > room) return undefined;
      typedArraySet(bytesOf, bytes);
      return isAscii(length) ? decodeAscii(0, length) : undefined;
    },
  };
}
