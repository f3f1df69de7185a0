/** Bytes on their way to the host: whole buffers of exactly the right length. */
import {
  arrayBufferByteLength,
  arrayBufferResizable,
  arrayBufferSlice,
  typedArrayBuffer,
  typedArrayByteOffset,
} from '../primordials.ts';

export function subarray(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(typedArrayBuffer(bytes), typedArrayByteOffset(bytes) + start, end - start);
}

/** A buffer of exactly the first `length` bytes: the view's own buffer when it fits, else a copy. */
export function exactBuffer(bytes: Uint8Array, length: number): ArrayBuffer {
  const buffer = typedArrayBuffer(bytes);
  const offset = typedArrayByteOffset(bytes);
  if (offset === 0 && arrayBufferByteLength(buffer) === length && !arrayBufferResizable(buffer)) return buffer;
  return arrayBufferSlice(buffer, offset, offset + length);
}
