import { type Bytes } from '../bytes.ts';
import { typedArrayBuffer, typedArrayByteLength, typedArrayByteOffset, typedArrayTag } from '../primordials.ts';
import { TransformStream } from '../streams.ts';
import { defineInterface, requireArguments, toDOMString } from '../webidl.ts';
import { utf8Encode, utf8EncodeInto } from './utf8.ts';

export class TextEncoder {
  // Only a brand: methods must throw on other objects.
  readonly #encoding = 'utf-8';

  get encoding(): string {
    return this.#encoding;
  }

  encode(input: string = ''): Bytes {
    checkBrand(this.#encoding);
    return utf8Encode(toDOMString(input));
  }

  encodeInto(source: string, destination: Uint8Array): { read: number; written: number } {
    checkBrand(this.#encoding);
    requireArguments(arguments.length, 2, "Failed to execute 'encodeInto' on 'TextEncoder'");
    const text = toDOMString(source);
    if (typedArrayTag(destination) !== 'Uint8Array') {
      throw new TypeError("Failed to execute 'encodeInto' on 'TextEncoder': parameter 2 is not of type 'Uint8Array'.");
    }
    const target = new Uint8Array(
      typedArrayBuffer(destination),
      typedArrayByteOffset(destination),
      typedArrayByteLength(destination),
    );
    return utf8EncodeInto(text, target);
  }
}
defineInterface(TextEncoder, 'TextEncoder');

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

// Reading the private field threw already if the object is not one of ours.
function checkBrand(_field: unknown): void {}
