/** Bytes of a buffer source (`ArrayBuffer` or a view on one), read without touching anything a tenant can patch. */
import {
  arrayBufferByteLength,
  arrayBufferDetached,
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

/**
 * A view on the bytes of a buffer source, sharing its memory; undefined when the value is not one. Of a
 * SharedArrayBuffer it is a copy: nothing of the runtime, and nothing on its way to the host, is shared memory.
 */
export function viewBytes(source: unknown): Bytes | undefined {
  if (isView(source)) {
    const isDataView = typedArrayTag(source) === undefined;
    const buffer = isDataView ? dataViewBuffer(source) : typedArrayBuffer(source);
    const isShared = !isUnshared(buffer);
    if (!isShared && arrayBufferDetached(buffer)) return new Uint8Array(0);
    const bytes = isDataView
      ? new Uint8Array(buffer, dataViewByteOffset(source), dataViewByteLength(source))
      : new Uint8Array(buffer, typedArrayByteOffset(source), typedArrayByteLength(source));
    return isShared ? bytesSlice(bytes) : bytes;
  }
  if (isArrayBuffer(source)) return arrayBufferDetached(source) ? new Uint8Array(0) : new Uint8Array(source);
  if (isSharedArrayBuffer(source)) return bytesSlice(new Uint8Array(source as ArrayBuffer));
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

/** Of the buffer of a view. The getter throws for shared ones only: the usual case costs no exception. */
function isUnshared(buffer: ArrayBuffer): boolean {
  try {
    arrayBufferByteLength(buffer);
    return true;
  } catch {
    return false;
  }
}

export function isSharedArrayBuffer(value: unknown): boolean {
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
