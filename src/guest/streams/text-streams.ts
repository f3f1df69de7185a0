/** TextEncoderStream and TextDecoderStream (Encoding standard). */
import {
  type Bytes,
  createDecoder,
  defineInterface,
  parseLabel,
  TextDecoder,
  type TextDecoderOptions,
  toDOMString,
  utf8Encode,
  viewBytes,
} from '../shared.ts';
import { TransformStream } from './web-streams.ts';

const EMPTY: Bytes = new Uint8Array(0);

export class TextEncoderStream {
  readonly #transform: TransformStream<unknown, Bytes>;

  constructor() {
    let lead = ''; // a high surrogate whose other half may come with the next chunk
    this.#transform = new TransformStream<unknown, Bytes>({
      transform(chunk, controller) {
        let text = lead + toDOMString(chunk);
        if (text === lead) return;
        lead = '';
        const last = text.charCodeAt(text.length - 1);
        if ((last & 0xfc00) === 0xd800) {
          lead = text.slice(-1);
          text = text.slice(0, -1);
        }
        if (text !== '') controller.enqueue(utf8Encode(text));
      },
      flush(controller) {
        if (lead !== '') controller.enqueue(utf8Encode(lead));
      },
    });
  }

  get encoding(): string {
    checkBrand(this.#transform);
    return 'utf-8';
  }

  get readable(): TransformStream<unknown, Bytes>['readable'] {
    return this.#transform.readable;
  }

  get writable(): TransformStream<unknown, Bytes>['writable'] {
    return this.#transform.writable;
  }
}
defineInterface(TextEncoderStream, 'TextEncoderStream');

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

// Reading the private field threw already if the object is not one of ours.
function checkBrand(_field: unknown): void {}
