/** Labels of encodings, and the encodings of one byte per character: what a Worker that knows only UTF-8 never needs. */
import { normalizeEncoding } from '@exodus/bytes/encoding-lite.js';
import { createSinglebyteDecoder } from '@exodus/bytes/single-byte.js';
import { setLegacyEncodings } from '../shared.ts';

setLegacyEncodings({ normalizeEncoding, createSinglebyteDecoder });
