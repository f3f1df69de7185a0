/** One decoder for each kind of encoding: a function that keeps what a stream left unfinished. */
import { type Bytes } from '../bytes.ts';
import { bytesSlice, bytesSubarray, typedArraySet } from '../primordials.ts';
import { loadPart } from '../runtime/parts.ts';
import { unfinishedUtf8, unitsToString, utf8Decode } from './utf8.ts';

/** Decodes the next bytes; `stream` tells that more follow. */
export type Decoder = (bytes: Bytes, stream: boolean) => string;

/** What parts/legacy-encodings.ts has: labels, and encodings of one byte per character. */
export interface LegacyEncodings {
  /** The name of the encoding that a label means, or null. */
  normalizeEncoding(label: string): string | null;
  createSinglebyteDecoder(encoding: string, loose: boolean): Decoder;
}

/** Makes decoders of the legacy multi-byte encodings, whose tables are a part of their own (parts/multi-byte.ts). */
export type MultiByteFactory = (encoding: string, loose: boolean) => Decoder;

const REPLACEMENT = '\uFFFD';

let legacy: LegacyEncodings | undefined;
let multiByte: MultiByteFactory | undefined;

/** Called by the part when it has been loaded. */
export function setLegacyEncodings(encodings: LegacyEncodings): void {
  legacy = encodings;
}

/** Called by the part when it has been loaded. */
export function setMultiByteEncodings(factory: MultiByteFactory): void {
  multiByte = factory;
}

/** The name of the encoding that a label means, or null. */
export function normalizeEncoding(label: string): string | null {
  return legacyEncodings().normalizeEncoding(label);
}

/** `encoding` is a normalized name. */
export function createDecoder(encoding: string, fatal: boolean, ignoreBOM: boolean): Decoder {
  if (encoding === 'utf-8') return createUtf8Decoder(fatal, ignoreBOM);
  if (encoding === 'utf-16le') return createUtf16Decoder(false, fatal, ignoreBOM);
  if (encoding === 'utf-16be') return createUtf16Decoder(true, fatal, ignoreBOM);
  if (isMultiByte(encoding)) {
    if (multiByte === undefined) loadPart('multi-byte');
    return multiByte!(encoding, !fatal);
  }
  return legacyEncodings().createSinglebyteDecoder(encoding, !fatal);
}

function legacyEncodings(): LegacyEncodings {
  if (legacy === undefined) loadPart('legacy-encodings');
  return legacy!;
}

function isMultiByte(encoding: string): boolean {
  switch (encoding) {
    case 'big5':
    case 'euc-jp':
    case 'euc-kr':
    case 'gb18030':
    case 'gbk':
    case 'iso-2022-jp':
    case 'shift_jis':
      return true;
    default:
      return false;
  }
}

function createUtf8Decoder(fatal: boolean, ignoreBOM: boolean): Decoder {
  let rest: Bytes | undefined;
  let started = false;
  return (input, stream) => {
    let bytes = input;
    if (rest !== undefined) {
      bytes = join(rest, input);
      rest = undefined;
    }
    const streamed = started;
    started = stream && streamed;
    if (stream) {
      const unfinished = unfinishedUtf8(bytes);
      if (unfinished > 0) {
        rest = bytesSlice(bytes, bytes.length - unfinished);
        bytes = bytesSubarray(bytes, 0, bytes.length - unfinished);
      }
      if (bytes.length > 0) started = true;
    }
    if (!streamed && !ignoreBOM && bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      bytes = bytesSubarray(bytes, 3);
    }
    try {
      return utf8Decode(bytes, fatal);
    } catch (error) {
      rest = undefined;
      throw error;
    }
  };
}

function createUtf16Decoder(bigEndian: boolean, fatal: boolean, ignoreBOM: boolean): Decoder {
  let oddByte = -1;
  let lead = 0; // a high surrogate that ended the last chunk
  let started = false;
  const reset = (): void => {
    oddByte = -1;
    lead = 0;
    started = false;
  };
  return (bytes, stream) => {
    const units = new Uint16Array((bytes.length >> 1) + 3);
    let count = 0;
    if (lead !== 0) units[count++] = lead;
    lead = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (oddByte < 0) oddByte = byte;
      else {
        units[count++] = bigEndian ? (oddByte << 8) | byte : (byte << 8) | oddByte;
        oddByte = -1;
      }
    }
    if (stream && count > 0 && ((units[count - 1] as number) & 0xfc00) === 0xd800) lead = units[--count] as number;
    let text = unitsToString(units, count);
    if (!text.isWellFormed()) {
      if (fatal) {
        reset();
        throw new TypeError('The encoded data was not valid');
      }
      text = text.toWellFormed();
    }
    if (!stream && oddByte >= 0) {
      if (fatal) {
        reset();
        throw new TypeError('The encoded data was not valid');
      }
      // A lone high surrogate and an odd byte after it are one error (Encoding standard, shared UTF-16 decoder).
      const loneLead = count > 0 && ((units[count - 1] as number) & 0xfc00) === 0xd800;
      if (!loneLead) text += REPLACEMENT;
    }
    if (!started && !ignoreBOM && text.charCodeAt(0) === 0xfeff) {
      started = true;
      text = text.slice(1);
    }
    if (text !== '') started = true;
    if (!stream) reset();
    return text;
  };
}

function join(a: Bytes, b: Bytes): Bytes {
  const whole = new Uint8Array(a.length + b.length);
  typedArraySet(whole, a, 0);
  typedArraySet(whole, b, a.length);
  return whole;
}
