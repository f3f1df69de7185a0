/** Entry of a bundle of its own: the legacy multi-byte encodings, loaded by the first program that asks for one. */
export { createMultibyteDecoder } from '@exodus/bytes/multi-byte.js';
