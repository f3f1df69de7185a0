/** The legacy multi-byte encodings: 160 kB of tables. */
import { createMultibyteDecoder } from '@exodus/bytes/multi-byte.js';
import { setMultiByteEncodings } from '../shared.ts';

setMultiByteEncodings(createMultibyteDecoder);
