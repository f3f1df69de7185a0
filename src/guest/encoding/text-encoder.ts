import { type Bytes } from '../bytes.ts';
import { typedArrayBuffer, typedArrayByteLength, typedArrayByteOffset, typedArrayTag } from '../primordials.ts';
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
    const room = typedArrayByteLength(destination);
    if (room === 0) return { read: 0, written: 0 }; // its buffer may be detached
    const target = new Uint8Array(typedArrayBuffer(destination), typedArrayByteOffset(destination), room);
    return utf8EncodeInto(text, target);
  }
}
defineInterface(TextEncoder, 'TextEncoder');

// Reading the private field threw already if the object is not one of ours.
function checkBrand(_field: unknown): void {}
