/** Bytes of a buffer source (`ArrayBuffer` or a view on one), read without touching anything a tenant can patch. */
import {
  arrayBufferByteLength,
  bytesSlice,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  isView,
  objectToString,
  typedArrayBuffer,
  typedArrayByteLength,
  typedArrayByteOffset,
  typedArraySet,
  typedArrayTag,
} from './primordials.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  if (typeof value !== 'object' || value === null) return false;
  // Cheap test first: a throw costs 3 us. The tag can be forged, the getter cannot.
  if (!(value instanceof ArrayBuffer) && objectToString(value) !== '[object ArrayBuffer]') return false;
  try {
    arrayBufferByteLength(value);
    return true;
  } catch {
    return false;
  }
}

/** A view on the bytes of a buffer source, sharing its memory; undefined when the value is not one. */
export function viewBytes(source: unknown): Bytes | undefined {
  if (isView(source)) {
    if (typedArrayTag(source) === undefined) {
      return new Uint8Array(dataViewBuffer(source), dataViewByteOffset(source), dataViewByteLength(source));
    }
    return new Uint8Array(typedArrayBuffer(source), typedArrayByteOffset(source), typedArrayByteLength(source));
  }
  if (isArrayBuffer(source)) return new Uint8Array(source);
  if (isSharedArrayBuffer(source)) return new Uint8Array(source as ArrayBuffer);
  return undefined;
}

/** A copy of a buffer source's bytes, in a buffer of their exact length; undefined when the value is not one. */
export function copyBytes(source: unknown): Bytes | undefined {
  const view = viewBytes(source);
  return view === undefined ? undefined : bytesSlice(view);
}

/** Joins chunks into one array of their exact length. `length` is the sum of theirs. */
export function concatBytes(chunks: readonly Bytes[], length: number): Bytes {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i] as Bytes;
    typedArraySet(whole, chunk, offset);
    offset += typedArrayByteLength(chunk);
  }
  return whole;
}

function isSharedArrayBuffer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (objectToString(value) !== '[object SharedArrayBuffer]') return false;
  try {
    // oxlint-disable-next-line no-new -- throws unless it really is a buffer
    new DataView(value as ArrayBuffer);
    return true;
  } catch {
    return false;
  }
}
