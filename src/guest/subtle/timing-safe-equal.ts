/** `crypto.subtle.timingSafeEqual`, which Workers have beside the standard. */
import { typedArrayByteLength } from '../core.ts';
import { bytesOf, toBufferSource } from './convert.ts';

const CONTEXT = "Failed to execute 'timingSafeEqual' on 'SubtleCrypto'";

/** Are the bytes the same? Takes as long for any two of that length. */
export function timingSafeEqual(a: unknown, b: unknown): boolean {
  const left = bytesOf(toBufferSource(a, `${CONTEXT}: 1st argument`));
  const right = bytesOf(toBufferSource(b, `${CONTEXT}: 2nd argument`));
  const length = typedArrayByteLength(left);
  if (typedArrayByteLength(right) !== length) throw new TypeError('Input buffers must have the same byte length.');
  let difference = 0;
  for (let i = 0; i < length; i++) difference |= left[i]! ^ right[i]!;
  return difference === 0;
}
