/** What a codec may be made with, from untrusted parameters, and what it costs: bounded windows, known memory. */
import zlib from 'node:zlib';
import { z } from 'zod';
import { Codec } from './codec.ts';

const { constants } = zlib;
const KIB = 1024;
const MIB = 1024 * KIB;

// An encoder for answers on their way out: brotli's own default of 11 takes 50 times as long.
const BROTLI_QUALITY = 5;
const BROTLI_LGWIN = 19; // 512 KiB, which takes the encoder about 3 MB
const ZSTD_LEVEL = 3;
const MAX_ZSTD_WINDOW_LOG = 23; // 8 MiB, which RFC 9659 asks of everybody and allows nobody to exceed
// Above these one step may take long: it is for the thread pool. Who wants answers at once gets no more.
const LIGHT_BROTLI_QUALITY = 7;
const LIGHT_ZSTD_LEVEL = 9;
const BROTLI_LGBLOCK = 16; // 64 KiB are compressed at once, not up to 16 MiB

const int = (min: number, max: number) => z.number().int().min(min).max(max);

const shape = z.object({
  format: z.enum(['gzip', 'deflate', 'deflate-raw', 'unzip', 'brotli', 'zstd']),
  compress: z.boolean(),
  /** Its steps will be asked at once. */
  atOnce: z.boolean().optional(),
  level: int(-1, 9).optional(),
  windowBits: int(8, 15).optional(),
  memLevel: int(1, 9).optional(),
  strategy: int(0, 4).optional(),
  /** Of brotli and zstd, by the numbers of node:zlib's constants. Those that are not known here have no effect. */
  params: z.record(z.string(), z.number().int()).optional(),
});

export interface NewCodec {
  readonly codec: Codec;
  readonly compresses: boolean;
  /** Memory that it takes outside of the isolate. */
  readonly bytes: number;
  /** A step of it may take long, however short its input. */
  readonly heavy: boolean;
  /** CPU time that a byte costs where it costs most (JSON, on a core of 2024), and a half more. */
  readonly nsPerByte: number;
}

type Options = z.infer<typeof shape>;

/** Throws a RangeError for options that do not exist, or exceed what is allowed here. */
export function createCodec(parameters: unknown, dictionary: Uint8Array | undefined): NewCodec {
  const parsed = shape.safeParse(parameters);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RangeError(`Cannot make a codec: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const options = parsed.data;
  const { format, compress } = options;
  if (format === 'brotli') return compress ? brotliEncoder(options) : brotliDecoder();
  if (format === 'zstd') return compress ? zstdEncoder(options, dictionary) : zstdDecoder(dictionary);
  return compress ? deflate(options, dictionary) : inflate(options, dictionary);
}

/** Memory by zconf.h. */
function deflate(options: Options, dictionary: Uint8Array | undefined): NewCodec {
  const { format, level = -1, windowBits = 15, memLevel = 8 } = options;
  const make = { gzip: zlib.createGzip, deflate: zlib.createDeflate, 'deflate-raw': zlib.createDeflateRaw };
  if (!Object.hasOwn(make, format)) throw new RangeError(`Cannot make a codec: ${format} does not compress`);
  const stream = make[format as keyof typeof make]({ ...toZlibOptions(options), ...toDictionary(dictionary) });
  const bytes = (1 << (windowBits + 2)) + (1 << (memLevel + 9)) + 8 * KIB;
  const nsPerByte = level > 6 ? 110 : 30;
  return { codec: new Codec(stream, 'zlib'), compresses: true, bytes, heavy: false, nsPerByte };
}

function inflate(options: Options, dictionary: Uint8Array | undefined): NewCodec {
  const make = {
    gzip: zlib.createGunzip,
    deflate: zlib.createInflate,
    'deflate-raw': zlib.createInflateRaw,
    unzip: zlib.createUnzip,
  };
  const create = make[options.format as keyof typeof make];
  const stream = create({ ...toZlibOptions(options), ...toDictionary(dictionary) });
  return { codec: new Codec(stream, 'zlib'), compresses: false, bytes: 48 * KIB, heavy: false, nsPerByte: 8 };
}

function brotliEncoder({ params = {}, atOnce = false }: Options): NewCodec {
  const quality = clamp(
    params[constants.BROTLI_PARAM_QUALITY] ?? BROTLI_QUALITY,
    0,
    atOnce ? LIGHT_BROTLI_QUALITY : 11,
  );
  const lgwin = clamp(params[constants.BROTLI_PARAM_LGWIN] ?? BROTLI_LGWIN, 10, 24);
  const stream = zlib.createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_MODE]: clamp(params[constants.BROTLI_PARAM_MODE] ?? 0, 0, 2),
      [constants.BROTLI_PARAM_QUALITY]: quality,
      [constants.BROTLI_PARAM_LGWIN]: lgwin,
      [constants.BROTLI_PARAM_LGBLOCK]: BROTLI_LGBLOCK,
      [constants.BROTLI_PARAM_SIZE_HINT]: clamp(params[constants.BROTLI_PARAM_SIZE_HINT] ?? 0, 0, 1 << 30),
    },
  });
  // The window twice, and what the hasher of this quality keeps (brotli, enc/quality.h and enc/hash.h).
  const hasher = quality < 5 ? MIB : quality < 10 ? (1 << (quality - 1)) * 128 * KIB : (8 << lgwin) + 16 * MIB;
  const bytes = (2 << lgwin) + hasher;
  const nsPerByte = quality < 5 ? 20 : quality < 8 ? 65 : quality < 10 ? 100 : 2_000;
  const heavy = quality > LIGHT_BROTLI_QUALITY;
  return { codec: new Codec(stream, 'other'), compresses: true, bytes, heavy, nsPerByte };
}

function brotliDecoder(): NewCodec {
  const stream = zlib.createBrotliDecompress({
    params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: false },
  });
  // The window is up to the sender.
  return { codec: new Codec(stream, 'other'), compresses: false, bytes: 16 * MIB, heavy: false, nsPerByte: 8 };
}

function zstdEncoder({ params = {}, atOnce = false }: Options, dictionary: Uint8Array | undefined): NewCodec {
  const level = clamp(params[constants.ZSTD_c_compressionLevel] ?? ZSTD_LEVEL, -100, atOnce ? LIGHT_ZSTD_LEVEL : 22);
  const asked = params[constants.ZSTD_c_windowLog] ?? 0;
  const known: Record<number, number> = { [constants.ZSTD_c_compressionLevel]: level };
  // By itself a level above 19 takes more.
  if (asked > 0 || level > 19) known[constants.ZSTD_c_windowLog] = clamp(asked || 99, 10, MAX_ZSTD_WINDOW_LOG);
  for (const key of [constants.ZSTD_c_contentSizeFlag, constants.ZSTD_c_checksumFlag, constants.ZSTD_c_dictIDFlag]) {
    const value = params[key];
    if (value !== undefined) known[key] = clamp(value, 0, 1);
  }
  const stream = zlib.createZstdCompress({ params: known, ...toDictionary(dictionary) });
  // Window and tables (zstd, compress/clevels.h), the largest of each group.
  const tables = level <= 4 ? 2 : level <= 9 ? 12 : level <= 15 ? 48 : 96;
  const window = Math.max(asked > 0 ? 1 << clamp(asked, 10, MAX_ZSTD_WINDOW_LOG) : 0, (level <= 4 ? 2 : 8) * MIB);
  const bytes = window + tables * MIB;
  const nsPerByte = level < 5 ? 6 : level < 10 ? 30 : level < 16 ? 70 : 500;
  return { codec: new Codec(stream, 'other'), compresses: true, bytes, heavy: level > LIGHT_ZSTD_LEVEL, nsPerByte };
}

function zstdDecoder(dictionary: Uint8Array | undefined): NewCodec {
  const params = { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG };
  const stream = zlib.createZstdDecompress({ params, ...toDictionary(dictionary) });
  const bytes = (1 << MAX_ZSTD_WINDOW_LOG) + 512 * KIB;
  return { codec: new Codec(stream, 'other'), compresses: false, bytes, heavy: false, nsPerByte: 4 };
}

/** node:zlib takes an undefined for a value that is not a number. */
function toZlibOptions(options: Options): zlib.ZlibOptions {
  const known: Record<string, number> = {};
  for (const key of ['level', 'windowBits', 'memLevel', 'strategy'] as const) {
    const value = options[key];
    if (value !== undefined) known[key] = value;
  }
  return known;
}

function toDictionary(dictionary: Uint8Array | undefined): { dictionary?: Uint8Array } {
  return dictionary === undefined ? {} : { dictionary };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
