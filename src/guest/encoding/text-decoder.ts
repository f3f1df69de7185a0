import { type Bytes, viewBytes } from '../bytes.ts';
import { defineInterface, toDOMString } from '../webidl.ts';
import { createDecoder, type Decoder, normalizeEncoding } from './decoders.ts';

export interface TextDecoderOptions {
  fatal?: boolean;
  ignoreBOM?: boolean;
}

export class TextDecoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #ignoreBOM: boolean;
  #decoder: Decoder | undefined;

  constructor(label: string = 'utf-8', options?: TextDecoderOptions | null) {
    const encoding = parseLabel(toDOMString(label));
    if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function') {
      throw new TypeError("Failed to construct 'TextDecoder': options is not an object");
    }
    this.#encoding = encoding;
    this.#fatal = !!options?.fatal;
    this.#ignoreBOM = !!options?.ignoreBOM;
    // Checked now, so that an encoding that is not here fails where a program expects it to.
    this.#decoder = encoding === 'utf-8' ? undefined : createDecoder(encoding, this.#fatal, this.#ignoreBOM);
  }

  get encoding(): string {
    return this.#encoding;
  }

  get fatal(): boolean {
    return this.#fatal;
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBOM;
  }

  decode(input?: unknown, options?: { stream?: boolean } | null): string {
    const encoding = this.#encoding;
    const bytes = input === undefined ? EMPTY : viewBytes(input);
    if (bytes === undefined) throw new TypeError("Failed to execute 'decode' on 'TextDecoder': not a buffer source");
    if (options !== undefined && options !== null && typeof options !== 'object' && typeof options !== 'function') {
      throw new TypeError("Failed to execute 'decode' on 'TextDecoder': options is not an object");
    }
    const decoder = (this.#decoder ??= createDecoder(encoding, this.#fatal, this.#ignoreBOM));
    return decoder(bytes, !!options?.stream);
  }
}
defineInterface(TextDecoder, 'TextDecoder', { constructor: 0, decode: 0 });

const EMPTY: Bytes = new Uint8Array(0);

/** The name of an encoding. Throws a RangeError for a label that is none. */
export function parseLabel(label: string): string {
  if (label === 'utf-8' || label === 'utf8' || label === 'UTF-8') return 'utf-8';
  const encoding = normalizeEncoding(label);
  if (encoding === null || encoding === 'replacement') {
    throw new RangeError(`Failed to construct 'TextDecoder': the encoding label '${label}' is invalid`);
  }
  return encoding;
}
