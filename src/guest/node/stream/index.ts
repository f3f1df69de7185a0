/**
 * `node:stream`: readable-stream, which is Node's own made portable, with what it leaves out. Called by
 * parts/node-stream.ts.
 * Promise: as Node's; callbacks of the Web's side are in web.ts.
 */
import Stream from 'readable-stream/lib/stream';
// oxlint-disable-next-line no-restricted-imports -- types alone: there is no Node
import type * as node from 'node:stream';
import { loadPart, streams } from '../../core.ts';
import type * as buffers from '../../parts/node-buffer.ts';
import { duplexFromWeb, readableFromWeb, readableToWeb, writableFromWeb, writableToWeb } from './web.ts';

const base = Stream as unknown as typeof node.default & Record<string, unknown>;
const { Duplex, Readable, Writable } = base;
const highWaterMarks = { bytes: 65_536, objects: 16 };

Object.assign(Readable, {
  fromWeb: (source: never, options?: object) => readableFromWeb(Readable as never, source, options),
  toWeb: readableToWeb,
});
Object.assign(Writable, {
  fromWeb: (sink: never, options?: object) => writableFromWeb(Writable as never, sink, options),
  toWeb: writableToWeb,
});
Object.assign(Duplex, {
  fromWeb: (pair: never, options?: object) => duplexFromWeb(Duplex as never, pair, options),
  toWeb: (duplex: node.Duplex) => ({ readable: readableToWeb(duplex), writable: writableToWeb(duplex) }),
});
Object.assign(base, {
  _isArrayBufferView: ArrayBuffer.isView,
  duplexPair,
  getDefaultHighWaterMark: (objectMode: boolean) => highWaterMarks[objectMode ? 'objects' : 'bytes'],
  setDefaultHighWaterMark: (objectMode: boolean, value: number) => {
    highWaterMarks[objectMode ? 'objects' : 'bytes'] = value;
  },
});

/** Two ends: what is written to one is read from the other. */
function duplexPair(options?: object): [node.Duplex, node.Duplex] {
  const ends: node.Duplex[] = [];
  const waiting: ((() => void) | undefined)[] = [];
  const make = (own: number, other: number): node.Duplex =>
    new Duplex({
      ...options,
      read() {
        waiting[own]?.();
        waiting[own] = undefined;
      },
      write(chunk, _encoding, done) {
        if (ends[other]!.push(chunk)) done();
        else waiting[other] = done;
      },
      final(done) {
        ends[other]!.push(null);
        done();
      },
    });
  ends.push(make(0, 1), make(1, 0));
  return ends as [node.Duplex, node.Duplex];
}

async function collect(source: AsyncIterable<unknown>): Promise<Uint8Array> {
  const { Buffer } = loadPart('node-buffer') as typeof buffers;
  const make = Buffer as unknown as { from(value: unknown): Uint8Array; concat(list: Uint8Array[]): Uint8Array };
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk instanceof Uint8Array ? chunk : make.from(chunk));
  return make.concat(chunks);
}

async function text(source: AsyncIterable<unknown>): Promise<string> {
  return new TextDecoder().decode(await collect(source));
}

export const consumers = {
  arrayBuffer: async (source: AsyncIterable<unknown>): Promise<ArrayBuffer> => {
    const bytes = await collect(source);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  },
  blob: async (source: AsyncIterable<unknown>): Promise<Blob> =>
    new Blob([(await collect(source)) as Uint8Array<ArrayBuffer>]),
  buffer: collect,
  bytes: async (source: AsyncIterable<unknown>): Promise<Uint8Array> => new Uint8Array(await collect(source)),
  json: async (source: AsyncIterable<unknown>): Promise<unknown> => JSON.parse(await text(source)) as unknown,
  text,
};

/** `node:stream/web`: the classes that are on the global, under the names Node gives them. */
export function webStreams(): object {
  const names = Object.keys(streams()).filter(
    (name) => /Stream|Strategy/.test(name) && typeof Reflect.get(globalThis, name) === 'function',
  );
  return Object.fromEntries(
    [...names, 'CompressionStream', 'DecompressionStream'].map((name) => [name, Reflect.get(globalThis, name)]),
  );
}

export { base as stream };
