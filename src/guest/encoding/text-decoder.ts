import { normalizeEncoding } from '@exodus/bytes/encoding-lite.js';
import { type Bytes, viewBytes } from '../bytes.ts';
import { TransformStream } from '../streams.ts';
import { defineInterface, toDOMString } from '../webidl.ts';
import { createDecoder, type Decoder } from './decoders.ts';

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
    const encoding = label === 'utf-8' ? label : parseLabel(toDOMString(label));
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

export class TextDecoderStream {
  readonly #decoder: TextDecoder;
  readonly #transform: TransformStream<unknown, string>;

  constructor(label: string = 'utf-8', options?: TextDecoderOptions | null) {
    const encoding = parseLabel(toDOMString(label));
    this.#decoder = new TextDecoder(encoding, options);
    const decode = createDecoder(encoding, this.#decoder.fatal, this.#decoder.ignoreBOM);
    this.#transform = new TransformStream<unknown, string>({
      transform(chunk, controller) {
        const bytes = viewBytes(chunk);
        if (bytes === undefined) throw new TypeError('A TextDecoderStream takes buffer sources');
        const text = decode(bytes, true);
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decode(EMPTY, false);
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }

  get fatal(): boolean {
    return this.#decoder.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }

  get readable(): TransformStream<unknown, string>['readable'] {
    return this.#transform.readable;
  }

  get writable(): TransformStream<unknown, string>['writable'] {
    return this.#transform.writable;
  }
}
defineInterface(TextDecoderStream, 'TextDecoderStream', { constructor: 0 });

const EMPTY: Bytes = new Uint8Array(0);

function parseLabel(label: string): string {
  const encoding = normalizeEncoding(label);
  if (encoding === null || encoding === 'replacement') {
    throw new RangeError(`Failed to construct 'TextDecoder': the encoding label '${label}' is invalid`);
  }
  return encoding;
}
