/** AES-256-GCM with everything it takes in one text: format, nonce, ciphertext, tag. */
import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;

const FORMAT = 1;
const NONCE_BYTES = 12; // random: of 2^32 values under one key, two share a nonce with a chance below 2^-32 (SP 800-38D, 8.3)
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + NONCE_BYTES;

/** What a sealed value belongs to. It opens with exactly the same and with nothing else, so that it cannot be moved. */
export type Context = readonly string[];

/** What was sealed has been changed, was sealed for something else, or the key is another one. It tells nothing of the content. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

export function seal(key: KeyObject, content: Uint8Array, context: Context): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(toAssociatedData(context));
  const parts = [Uint8Array.of(FORMAT), nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(parts).toString('base64');
}

/** Throws UnsealError. */
export function unseal(key: KeyObject, sealed: string, context: Context): Buffer {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.byteLength < HEAD_BYTES + TAG_BYTES || bytes[0] !== FORMAT) {
    throw new UnsealError(`Cannot open what was sealed for ${context.join('/')}: the format is unknown`);
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, HEAD_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(toAssociatedData(context));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const content = decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    content.fill(0);
    throw new UnsealError(`Cannot open what was sealed for ${context.join('/')}: it does not belong there`);
  }
  return content;
}

/** JSON, since it keeps the parts apart: ["a", "b/c"] and ["a/b", "c"] must differ. */
function toAssociatedData(context: Context): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, ...context]));
}
