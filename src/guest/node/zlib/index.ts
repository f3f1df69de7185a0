/**
 * `node:zlib`. Called by parts/node-zlib.ts; the work is done by the service `zlib` of the host.
 * Promise: as Node's; what is asked for at once is done with a quality that takes no long time.
 * Start at codec.ts.
 */
import * as constants from 'unenv/node/internal/zlib/constants';
import { Buffer, settle, toBytes } from '../crypto/bytes.ts';
import { checkFunction } from '../errors.ts';
import { convert, convertSync, type Kind, type ZlibOptions } from './codec.ts';
import type * as streams from './streams.ts';

const KINDS: Readonly<Record<string, Kind>> = {
  BrotliCompress: { format: 'brotli', compress: true },
  BrotliDecompress: { format: 'brotli', compress: false },
  Deflate: { format: 'deflate', compress: true },
  DeflateRaw: { format: 'deflate-raw', compress: true },
  Gunzip: { format: 'gzip', compress: false },
  Gzip: { format: 'gzip', compress: true },
  Inflate: { format: 'deflate', compress: false },
  InflateRaw: { format: 'deflate-raw', compress: false },
  Unzip: { format: 'unzip', compress: false },
  ZstdCompress: { format: 'zstd', compress: true },
  ZstdDecompress: { format: 'zstd', compress: false },
};
const ZSTD_CONSTANTS = {
  ZSTD_e_continue: 0,
  ZSTD_e_flush: 1,
  ZSTD_e_end: 2,
  ZSTD_c_compressionLevel: 100,
  ZSTD_c_windowLog: 101,
  ZSTD_c_contentSizeFlag: 200,
  ZSTD_c_checksumFlag: 201,
  ZSTD_c_dictIDFlag: 202,
  ZSTD_d_windowLogMax: 100,
  ZSTD_CLEVEL_DEFAULT: 3,
};
const CODES = [
  'Z_OK',
  'Z_STREAM_END',
  'Z_NEED_DICT',
  'Z_ERRNO',
  'Z_STREAM_ERROR',
  'Z_DATA_ERROR',
  'Z_MEM_ERROR',
  'Z_BUF_ERROR',
  'Z_VERSION_ERROR',
];
const ALL_CONSTANTS = { ...constants, ...ZSTD_CONSTANTS } as Readonly<Record<string, number>>;

/** Of the bundler's own making: evaluated when it is first asked for. */
declare const require: (name: string) => unknown;

function createType(name: string, kind: Kind): new (options?: ZlibOptions) => object {
  const { ZlibStream } = require('./streams.ts') as typeof streams;
  const types = {
    [name]: class extends ZlibStream {
      constructor(options?: ZlibOptions) {
        super(kind, options);
      }
    },
  };
  return types[name]!;
}

function makeFunctions(name: string, kind: Kind): Record<string, unknown> {
  // The stream's class is made when there is to be one: most programs convert whole buffers.
  let type: (new (options?: ZlibOptions) => object) | undefined;
  const typeOf = (): NonNullable<typeof type> => (type ??= createType(name, kind));
  const constructor = function (options?: ZlibOptions): object {
    return new (typeOf())(options);
  };
  Object.defineProperties(constructor, {
    name: { value: name, configurable: true },
    [Symbol.hasInstance]: { value: (value: unknown) => type !== undefined && value instanceof type },
  });
  const method = name[0]!.toLowerCase() + name.slice(1);
  return {
    [name]: constructor,
    [`create${name}`]: (options?: ZlibOptions) => new (typeOf())(options),
    [`${method}Sync`]: (data: unknown, options?: ZlibOptions) => convertSync(kind, data, options),
    [method]: (data: unknown, ...rest: unknown[]): void => {
      const callback = rest.at(-1);
      checkFunction(callback, 'callback');
      const options = rest.length > 1 ? (rest[0] as ZlibOptions) : {};
      // A copy: the program may write over what it gave.
      const input = Buffer.from(toBytes(data, 'buffer'));
      settle(convert(kind, input, options), callback);
    },
  };
}

let table: Uint32Array | undefined;

function crc32(data: unknown, value = 0): number {
  if (table === undefined) {
    table = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      let entry = i;
      for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? 0xedb88320 ^ (entry >>> 1) : entry >>> 1;
      table[i] = entry;
    }
  }
  let crc = ~value;
  for (const byte of toBytes(data, 'data')) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const codes: Record<string, number | string> = {};
for (const name of CODES) {
  const code = ALL_CONSTANTS[name]!;
  codes[name] = code;
  codes[code] = name;
}

export const zlib: object = {
  ...Object.assign({}, ...Object.entries(KINDS).map(([name, kind]) => makeFunctions(name, kind))),
  ...Object.fromEntries(Object.entries(ALL_CONSTANTS).filter(([name]) => name.startsWith('Z_'))),
  codes: Object.freeze(codes),
  constants: Object.freeze({ ...ALL_CONSTANTS }),
  crc32,
};
