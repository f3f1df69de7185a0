/** Percent-encoding (URL standard, section 1.3). */
import type { Bytes } from '../bytes.ts';
import { utf8Decode, utf8Encode } from '../encoding/utf8.ts';

/** The percent-encode sets, as bits: which ASCII characters each encodes. All encode what is not ASCII. */
export const C0_CONTROL = 1;
export const FRAGMENT = 2;
export const QUERY = 4;
export const SPECIAL_QUERY = 8;
export const PATH = 16;
export const USERINFO = 32;
export const FORM = 64; // application/x-www-form-urlencoded, where a space is `+`

const SETS = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  if (c < 0x20 || c === 0x7f) SETS[c] = 0x7f;
}
add(' "<>`', FRAGMENT);
add(' "#<>', QUERY | SPECIAL_QUERY | PATH | USERINFO | FORM);
add("'", SPECIAL_QUERY);
add('?`{}^', PATH | USERINFO | FORM);
add('/:;=@[\\]|', USERINFO | FORM);
add("$%&+,!'()~", FORM);

const ESCAPES: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** Percent-encodes the members of a set. `text` must be well-formed. */
export function percentEncode(text: string, set: number): string {
  const { length } = text;
  let encoded = '';
  let done = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      if (((SETS[unit] as number) & set) === 0) continue;
      encoded += text.slice(done, i);
      encoded += unit === 0x20 && set === FORM ? '+' : (ESCAPES[unit] as string);
    } else {
      encoded += text.slice(done, i);
      const width = (unit & 0xfc00) === 0xd800 ? 2 : 1;
      const bytes = utf8Encode(text.slice(i, i + width));
      for (let j = 0; j < bytes.length; j++) encoded += ESCAPES[bytes[j] as number] as string;
      i += width - 1;
    }
    done = i + 1;
  }
  return done === 0 ? text : encoded + text.slice(done);
}

/** Percent-decodes and reads the bytes as UTF-8; malformed escapes stay as they are. */
export function percentDecode(text: string): string {
  return text.includes('%') ? utf8Decode(percentDecodeBytes(text)) : text;
}

/** The bytes that a percent-encoded text stands for. */
export function percentDecodeBytes(text: string): Bytes {
  const bytes = utf8Encode(text);
  const { length } = bytes;
  let count = 0;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    if (byte === 0x25 && i + 2 < length) {
      const high = hexDigit(bytes[i + 1] as number);
      const low = hexDigit(bytes[i + 2] as number);
      if (high >= 0 && low >= 0) {
        bytes[count++] = (high << 4) | low;
        i += 2;
        continue;
      }
    }
    bytes[count++] = byte;
  }
  return bytes.subarray(0, count);
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function add(characters: string, sets: number): void {
  for (let i = 0; i < characters.length; i++) {
    const c = characters.charCodeAt(i);
    SETS[c] = (SETS[c] as number) | sets;
  }
}
