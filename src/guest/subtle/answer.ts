/** What the host answers, as a method of SubtleCrypto resolves to it. */
import { type Answer, arrayBufferSlice } from '../core.ts';
import { createKey, type CryptoKey, type KeyDescription } from './crypto-key.ts';

/** The value of an answer; without one, the answer is its bytes. */
type AnswerValue =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'key'; readonly key: KeyDescription }
  | { readonly kind: 'pair'; readonly publicKey: KeyDescription; readonly privateKey: KeyDescription }
  /** The bytes: first a secret, unless there is a key instead, then the ciphertext that it is hidden in. */
  | { readonly kind: 'capsule'; readonly secretBytes: number; readonly sharedKey: KeyDescription | null };

export function toResult({ value, bytes }: Answer): unknown {
  if (value === undefined) return bytes ?? new ArrayBuffer(0);
  const answer = value as AnswerValue;
  switch (answer.kind) {
    case 'value':
      return answer.value;
    case 'key':
      return createKey(answer.key);
    case 'pair':
      return { publicKey: createKey(answer.publicKey), privateKey: createKey(answer.privateKey) };
    case 'capsule':
    default:
      return toCapsule(bytes!, answer.secretBytes, answer.sharedKey);
  }
}

function toCapsule(bytes: ArrayBuffer, secretBytes: number, key: KeyDescription | null): object {
  const sharedKey: ArrayBuffer | CryptoKey = key === null ? arrayBufferSlice(bytes, 0, secretBytes) : createKey(key);
  return { sharedKey, ciphertext: arrayBufferSlice(bytes, secretBytes) };
}
