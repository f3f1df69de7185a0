/** Undoing `Content-Encoding` while the body streams, as fetch in Workers does. */
import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';

const MAX_ENCODINGS = 3; // each layer multiplies what a few bytes can unfold to; more than one is unheard of

// A truncated body ends where it ends instead of failing, as in browsers.
const GZIP = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH };
const BROTLI = {
  flush: zlib.constants.BROTLI_OPERATION_FLUSH,
  finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
};

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(GZIP),
  'x-gzip': () => zlib.createGunzip(GZIP),
  deflate: () => zlib.createUnzip(GZIP), // zlib format; raw deflate is told apart in decodeBody
  br: () => zlib.createBrotliDecompress(BROTLI),
  zstd: () => zlib.createZstdDecompress(),
};

/** The encodings of a `content-encoding` value in the order to undo them, or undefined when one is not known. */
export function parseEncodings(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  const known = names.length <= MAX_ENCODINGS && names.every((name) => Object.hasOwn(DECODERS, name));
  return known ? names.toReversed() : undefined;
}

/**
 * The body with its encodings undone. Memory stays at one chunk per layer: nothing is unfolded before it is asked
 * for, so a decompression bomb costs its tenant, who has to swallow it, and nobody else.
 */
export function decodeBody(body: Readable, encodings: readonly string[]): Readable {
  let decoded = body;
  for (const name of encodings) decoded = decodeOne(decoded, name);
  return decoded;
}

function decodeOne(source: Readable, name: string): Readable {
  if (name === 'deflate') return Readable.from(inflate(source), { objectMode: false });
  const decoder = DECODERS[name]?.();
  if (decoder === undefined) return source;
  // Errors surface where the result is read; the callback only keeps them from being unhandled.
  return pipeline(source, decoder, () => {});
}

/** RFC 9110 §8.4.1.2 means the zlib format by "deflate"; many servers send raw deflate. The first byte tells. */
async function* inflate(source: Readable): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done === true) return;
  const isZlib = ((first.value[0] ?? 0) & 0x0f) === 8;
  const rest = Readable.from(replay(first.value, chunks), { objectMode: false });
  yield* pipeline(rest, isZlib ? zlib.createInflate(GZIP) : zlib.createInflateRaw(GZIP), () => {});
}

async function* replay(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
