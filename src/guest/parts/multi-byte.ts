/** The legacy multi-byte encodings: 160 kB of tables. */
export { createMultibyteDecoder } from '@exodus/bytes/multi-byte.js';
