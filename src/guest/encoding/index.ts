/**
 * Text and bytes: TextEncoder, TextDecoder, their streams, base64.
 * Called by everything in guest/ that turns text into bytes. Knows nothing of the host.
 * Promise: as the Encoding standard, for all encodings but the multi-byte legacy ones, which need
 * `setMultiByteLoader`.
 * Start at utf8.ts; decoders.ts for the rest.
 */
export { atob, btoa } from './base64.ts';
export { setMultiByteLoader } from './decoders.ts';
export { TextDecoder, TextDecoderStream } from './text-decoder.ts';
export { TextEncoder, TextEncoderStream } from './text-encoder.ts';
export { utf8Decode, utf8Encode } from './utf8.ts';
