/** `atob` and `btoa` over V8's own base64, looked up when called: at snapshot time it is not there. */
import { type Bytes } from '../bytes.ts';
import { DOMException } from '../events/index.ts';
import { requireArguments, toDOMString } from '../webidl.ts';
import { latin1Decode } from './utf8.ts';

type Base64Bytes = Bytes & { toBase64(options?: object): string };
type Base64Class = { fromBase64(text: string, options?: object): Bytes };

export function btoa(data: string): string {
  requireArguments(arguments.length, 1, "Failed to execute 'btoa'");
  const text = toDOMString(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) {
      throw new DOMException('The string contains characters outside of the Latin1 range', 'InvalidCharacterError');
    }
    bytes[i] = unit;
  }
  return (bytes as Base64Bytes).toBase64();
}

export function atob(data: string): string {
  requireArguments(arguments.length, 1, "Failed to execute 'atob'");
  const text = toDOMString(data);
  let bytes: Bytes;
  try {
    // "Loose" is the forgiving-base64 decode of the Infra standard: whitespace skipped, padding optional.
    bytes = (Uint8Array as unknown as Base64Class).fromBase64(text, { lastChunkHandling: 'loose' });
  } catch {
    throw new DOMException('The string to be decoded is not correctly encoded', 'InvalidCharacterError');
  }
  return latin1Decode(bytes);
}
