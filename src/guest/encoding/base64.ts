/** `atob` and `btoa` over V8's own base64. */
import { type Bytes } from '../bytes.ts';
import { DOMException } from '../events/index.ts';
import { reflectApply, uncurryThis } from '../primordials.ts';
import { requireArguments, toDOMString } from '../webidl.ts';
import { textKernel } from './kernel.ts';
import { latin1Decode } from './utf8.ts';

let toBase64: (bytes: Bytes) => string;
let fromBase64: (text: string, options: object) => Bytes;

// "Loose" is the forgiving-base64 decode of the Infra standard: whitespace skipped, padding optional.
const FORGIVING = { __proto__: null, lastChunkHandling: 'loose' };

/** Takes what V8 has not installed yet while the snapshot is made. Called before there is tenant code. */
export function captureBase64(): void {
  toBase64 = uncurryThis(Reflect.get(Uint8Array.prototype, 'toBase64')) as typeof toBase64;
  const decode: (text: string, options: object) => Bytes = Reflect.get(Uint8Array, 'fromBase64');
  fromBase64 = (text, options) => reflectApply(decode, Uint8Array, [text, options]);
}

export function btoa(data: string): string {
  requireArguments(arguments.length, 1, "Failed to execute 'btoa'");
  const text = toDOMString(data);
  const ascii = textKernel(text.length)?.asciiBytes(text);
  if (ascii !== undefined) return toBase64(ascii);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) {
      throw new DOMException('The string contains characters outside of the Latin1 range', 'InvalidCharacterError');
    }
    bytes[i] = unit;
  }
  return toBase64(bytes);
}

export function atob(data: string): string {
  requireArguments(arguments.length, 1, "Failed to execute 'atob'");
  const text = toDOMString(data);
  let bytes: Bytes;
  try {
    bytes = fromBase64(text, FORGIVING);
  } catch {
    throw new DOMException('The string to be decoded is not correctly encoded', 'InvalidCharacterError');
  }
  return textKernel(bytes.length)?.decodeAscii(bytes) ?? latin1Decode(bytes);
}
