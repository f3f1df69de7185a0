/**
 * Text and bytes: TextEncoder, TextDecoder, base64. Their streams are in streams/.
 * Called by everything in guest/ that turns text into bytes. Knows nothing of the host.
 * Promise: as the Encoding standard; what only legacy encodings need is loaded when one is asked for.
 * Start at utf8.ts; decoders.ts for the rest.
 */
export { atob, btoa, captureBase64 } from './base64.ts';
export { createDecoder, setLegacyEncodings, setMultiByteEncodings } from './decoders.ts';
export { parseLabel, TextDecoder, type TextDecoderOptions } from './text-decoder.ts';
export { TextEncoder } from './text-encoder.ts';
export { utf8Decode, utf8Encode } from './utf8.ts';
