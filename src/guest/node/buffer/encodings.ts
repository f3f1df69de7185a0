/** Text to bytes and back in the encodings of `Buffer`. */
import { latin1Decode, utf8Decode, utf8Encode } from '../../core.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export interface Encoding {
  readonly name: string;
  byteLength(text: string): number;
  encode(text: string): Bytes;
  decode(bytes: Bytes): string;
}

interface NativeBase64 {
  fromBase64(text: string, options: { alphabet: string }): Bytes;
}
interface NativeText {
  toBase64(options?: { alphabet: string; omitPadding: boolean }): string;
  toHex(): string;
}

const utf8: Encoding = {
  name: 'utf8',
  byteLength: (text) => utf8Encode(text).byteLength,
  encode: (text) => utf8Encode(text),
  decode: (bytes) => utf8Decode(bytes),
};

const utf16le: Encoding = {
  name: 'utf16le',
  byteLength: (text) => text.length * 2,
  encode(text) {
    const bytes = new Uint8Array(text.length * 2);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      bytes[i * 2] = unit;
      bytes[i * 2 + 1] = unit >> 8;
    }
    return bytes;
  },
  decode(bytes) {
    let text = '';
    const end = bytes.length - 1;
    for (let i = 0; i < end; i += 2) text += String.fromCharCode(bytes[i]! | (bytes[i + 1]! << 8));
    return text;
  },
};

const latin1: Encoding = {
  name: 'latin1',
  byteLength: (text) => text.length,
  encode(text) {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  },
  decode: (bytes) => latin1Decode(bytes),
};

const ascii: Encoding = {
  name: 'ascii',
  byteLength: latin1.byteLength,
  encode: latin1.encode,
  decode: (bytes) => latin1Decode(bytes.map((byte) => byte & 0x7f)),
};

const base64: Encoding = {
  name: 'base64',
  byteLength: base64Length,
  encode: decodeBase64,
  decode: (bytes) => (bytes as unknown as NativeText).toBase64(),
};

const base64url: Encoding = {
  name: 'base64url',
  byteLength: base64Length,
  encode: decodeBase64,
  decode: (bytes) => (bytes as unknown as NativeText).toBase64({ alphabet: 'base64url', omitPadding: true }),
};

const hex: Encoding = {
  name: 'hex',
  byteLength: (text) => text.length >>> 1,
  encode(text) {
    const bytes = new Uint8Array(text.length >>> 1);
    for (let i = 0; i < bytes.length; i++) {
      const high = hexDigit(text.charCodeAt(i * 2));
      const low = hexDigit(text.charCodeAt(i * 2 + 1));
      if (high < 0 || low < 0) return bytes.slice(0, i); // what follows the first bad digit is not looked at
      bytes[i] = (high << 4) | low;
    }
    return bytes;
  },
  decode: (bytes) => (bytes as unknown as NativeText).toHex(),
};

const ENCODINGS = new Map<string, Encoding>([
  ['utf8', utf8],
  ['utf-8', utf8],
  ['ucs2', utf16le],
  ['ucs-2', utf16le],
  ['utf16le', utf16le],
  ['utf-16le', utf16le],
  ['latin1', latin1],
  ['binary', latin1],
  ['ascii', ascii],
  ['base64', base64],
  ['base64url', base64url],
  ['hex', hex],
]);

export { utf8 };

/** By any of its names, in any case. */
export function findEncoding(name: string): Encoding | undefined {
  return ENCODINGS.get(name) ?? ENCODINGS.get(name.toLowerCase());
}

function hexDigit(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function base64Length(text: string): number {
  let { length } = text;
  if (length > 0 && text.charCodeAt(length - 1) === 0x3d) length--;
  if (length > 1 && text.charCodeAt(length - 1) === 0x3d) length--;
  return Math.floor((length * 3) / 4);
}

/** Both alphabets at once; what belongs to neither is passed over. */
function decodeBase64(text: string): Bytes {
  const native = Uint8Array as unknown as NativeBase64;
  try {
    return native.fromBase64(text, { alphabet: text.includes('-') || text.includes('_') ? 'base64url' : 'base64' });
  } catch {
    const end = text.indexOf('=');
    const clean = (end < 0 ? text : text.slice(0, end))
      .replaceAll('-', '+')
      .replaceAll('_', '/')
      .replaceAll(/[^A-Za-z0-9+/]/g, '');
    // One character left over says nothing of a byte.
    const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean;
    return native.fromBase64(whole, { alphabet: 'base64' });
  }
}
