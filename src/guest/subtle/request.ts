/** A question to the host's service `crypto`: its arguments as a record, the bytes of all of them in one buffer. */
import {
  type Bytes,
  bytesSlice,
  concatBytes,
  typedArrayBuffer,
  typedArrayByteLength,
  arrayBufferByteLength,
} from '../core.ts';
import { type CryptoKey, keyId } from './crypto-key.ts';
import { emptyRecord } from './convert.ts';

/** How values cross: `{ at, bytes }` is a slice of the buffer, `{ key }` a key by its handle. */
export class CryptoRequest {
  readonly parameters = emptyRecord();
  readonly #arguments = emptyRecord();
  readonly #chunks: Bytes[] = [];
  #chunkCount = 0;
  #argumentCount = 0;
  #byteLength = 0;

  constructor() {
    this.parameters['args'] = this.#arguments;
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  add(value: unknown): void {
    this.#arguments[this.#argumentCount] = value;
    this.#argumentCount++;
  }

  /** Bytes are read when `toBuffer` is called; who wants them as they are now gives a copy. */
  bytes(bytes: Bytes): object {
    const length = typedArrayByteLength(bytes);
    const reference = emptyRecord();
    reference['at'] = this.#byteLength;
    reference['bytes'] = length;
    this.#chunks[this.#chunkCount] = bytes;
    this.#chunkCount++;
    this.#byteLength += length;
    return reference;
  }

  key(key: CryptoKey): object {
    const reference = emptyRecord();
    reference['key'] = keyId(key);
    return reference;
  }

  toBuffer(): ArrayBuffer | undefined {
    if (this.#byteLength === 0) return undefined;
    if (this.#chunkCount > 1) return concatBytes(this.#chunks, this.#byteLength).buffer;
    const chunk = this.#chunks[0]!;
    const buffer = typedArrayBuffer(chunk);
    // What crosses is copied anyway: a buffer that is wanted whole need not be copied here.
    return arrayBufferByteLength(buffer) === this.#byteLength ? buffer : bytesSlice(chunk).buffer;
  }
}
