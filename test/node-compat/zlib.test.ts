/** `node:zlib` in a Worker, against Node itself. */
import { after, before, describe, it } from 'node:test';
import type { Runtime } from '../../src/index.ts';
import { compare, openRuntime } from './harness.ts';

const IMPORTS = `
  import zlib, { gzipSync, gunzipSync, deflateSync, inflateSync, createGzip, createGunzip, constants, crc32 } from 'node:zlib';
  import { Buffer } from 'node:buffer';
  import { promisify } from 'node:util';
  import { pipeline } from 'node:stream/promises';
  import { Readable } from 'node:stream';
  import { buffer } from 'node:stream/consumers';
  const text = 'to be or not to be '.repeat(5_000);
  const noise = Buffer.from(Array.from({ length: 90_000 }, (_, i) => (i * 7919 + (i >> 3)) & 255));
  const pairs = [['gzip', 'gunzip'], ['deflate', 'inflate'], ['deflateRaw', 'inflateRaw'], ['brotliCompress', 'brotliDecompress'], ['zstdCompress', 'zstdDecompress'], ['gzip', 'unzip'], ['deflate', 'unzip']];`;

describe('node:zlib in a Worker, as in Node:', { timeout: 60_000 }, () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await openRuntime();
  });
  after(() => runtime.close());

  it('there and back, at once, later and as streams', async () => {
    await compare(runtime, IMPORTS, {
      sync: `return pairs.map(([to, from]) => [zlib[from + 'Sync'](zlib[to + 'Sync'](text)).toString() === text, zlib[from + 'Sync'](zlib[to + 'Sync'](noise)).equals(noise), zlib[from + 'Sync'](zlib[to + 'Sync']('')).length, zlib[to + 'Sync'](text).length < 2000]);`,
      bytes: `return [deflateSync(text).toString('base64'), zlib.deflateRawSync('abc', { level: 9 }), deflateSync('abc', { level: 0, windowBits: 9, memLevel: 3, strategy: 2 }), gzipSync(noise).length];`,
      later: `return Promise.all(pairs.map(async ([to, from]) => (await promisify(zlib[from])(await promisify(zlib[to])(noise, {}))).equals(noise)));`,
      streams: `const create = (name) => zlib['create' + name[0].toUpperCase() + name.slice(1)](); const out = []; for (const [to, from] of pairs) { const chunks = Array.from({ length: 9 }, (_, i) => noise.subarray(i * 10_000, i * 10_000 + 10_000)); out.push((await buffer(Readable.from(chunks).pipe(create(to)).pipe(create(from)))).equals(noise)); } return out;`,
      large: `const zeros = Buffer.alloc(2_000_000); const packed = gzipSync(zeros); let length = 0; await pipeline(Readable.from([packed]), createGunzip(), async (source) => { for await (const chunk of source) { length += chunk.length; await null; } }); return [packed.length, length, gunzipSync(packed).equals(zeros)];`,
      flushed: `const gzip = createGzip(); const seen = []; gzip.on('data', (c) => seen.push(c)); gzip.write('abc'); await new Promise((r) => gzip.flush(r)); const early = Buffer.concat(seen); gzip.end('def'); await new Promise((r) => gzip.on('end', r)); return [gunzipSync(early, { finishFlush: constants.Z_SYNC_FLUSH }).toString(), gunzipSync(Buffer.concat(seen)).toString(), gzip.bytesWritten];`,
    });
  });

  it('what is wrong, and what comes after the end', async () => {
    await compare(runtime, IMPORTS, {
      errors: `const brief = (e) => [e.name, e.code, e.errno, e.message]; const packed = gzipSync('hello'); return [() => gunzipSync('nonsense'), () => gunzipSync(packed.subarray(0, 20)), () => inflateSync(packed), () => deflateSync('a', { level: 10 }), () => gunzipSync(gzipSync(text), { maxOutputLength: 100 })].map((f) => brief(attempt(f)));`,
      later: `const e = await promisify(zlib.gunzip)('nonsense').catch((e) => e); const s = await pipeline(Readable.from([Buffer.from('nonsense')]), createGunzip(), async (x) => { for await (const _ of x); }).catch((e) => e); return [[e.code, e.errno, e.message], [s.code, s.errno, s.message]];`,
      surplus: `const two = Buffer.concat([gzipSync('a'), gzipSync('b')]); return [gunzipSync(two).toString(), gunzipSync(Buffer.concat([gzipSync('a'), Buffer.alloc(30, 7)])).toString(), inflateSync(Buffer.concat([deflateSync('x'), Buffer.from('rest')])).toString()];`,
      dictionary: `const dictionary = Buffer.from('to be or not'); const packed = deflateSync('to be or not to be', { dictionary }); return [packed, inflateSync(packed, { dictionary }).toString(), attempt(() => inflateSync(packed)).code];`,
      rest: `return [crc32('hello'), crc32(Buffer.from('world'), crc32('hello ')), constants.Z_BEST_SPEED, constants.BROTLI_PARAM_QUALITY, constants.ZSTD_c_compressionLevel, zlib.codes.Z_DATA_ERROR, zlib.Z_SYNC_FLUSH === undefined ? 2 : zlib.Z_SYNC_FLUSH, createGzip() instanceof zlib.Gzip];`,
    });
  });
});
