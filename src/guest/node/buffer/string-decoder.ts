/** `StringDecoder`: bytes in pieces to text, holding back what a piece cuts in two. */
import { TextDecoder } from '../../core.ts';
import { invalidArgType, nodeError } from '../errors.ts';
import { Buffer } from './buffer.ts';
import { type Bytes, type Encoding, findEncoding, utf8 } from './encodings.ts';

const NativeBuffer = Buffer as unknown as { from(value: unknown): Bytes; concat(list: Bytes[]): Bytes };

export class StringDecoder {
  readonly encoding: string;
  readonly #encoding: Encoding;
  readonly #decoder: TextDecoder | undefined;
  #rest: Bytes = new Uint8Array(0);

  constructor(encoding?: unknown) {
    const found = encoding === undefined || encoding === null ? utf8 : findEncoding(String(encoding));
    if (found === undefined)
      throw nodeError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${String(encoding)}`);
    this.#encoding = found;
    this.encoding = found.name;
    if (found === utf8) this.#decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  }

  write(input: unknown): string {
    if (typeof input === 'string') return input;
    if (!ArrayBuffer.isView(input)) {
      throw invalidArgType('buf', 'an instance of Buffer, TypedArray, or DataView', input);
    }
    const bytes = new Uint8Array(input.buffer as ArrayBuffer, input.byteOffset, input.byteLength);
    if (this.#decoder !== undefined) return this.#decoder.decode(bytes, { stream: true });
    const whole = this.#rest.length === 0 ? bytes : NativeBuffer.concat([this.#rest, bytes]);
    const complete = whole.length - this.#incomplete(whole);
    this.#rest = whole.slice(complete);
    return this.#encoding.decode(whole.subarray(0, complete));
  }

  end(input?: unknown): string {
    let text = input === undefined ? '' : this.write(input);
    if (this.#decoder !== undefined) return text + this.#decoder.decode();
    text += this.#encoding.decode(this.#rest);
    this.#rest = new Uint8Array(0);
    return text;
  }

  text(input: Uint8Array, offset: number): string {
    this.#rest = new Uint8Array(0);
    return this.write(input.subarray(offset));
  }

  /** How many bytes at the end wait for more. */
  #incomplete(bytes: Bytes): number {
    switch (this.encoding) {
      case 'base64':
      case 'base64url':
        return bytes.length % 3;
      case 'utf16le': {
        const odd = bytes.length % 2;
        const high = bytes[bytes.length - 1 - odd];
        return high !== undefined && bytes.length > 1 && high >= 0xd8 && high <= 0xdb ? 2 + odd : odd;
      }
      default:
        return 0;
    }
  }
}
