/**
 * Streams. Their code is a part of the runtime (parts/streams.ts) that an isolate loads when something first needs a
 * stream; until then nothing in it is one. Called by fetch/, blob/ and everything else in the core by `streams()`.
 * Promise: as the Streams standard; the runtime's own reading and cancelling calls nothing that a tenant can replace.
 * Start at web-streams.ts; text-streams.ts has TextEncoderStream and TextDecoderStream.
 */
import type * as part from '../parts/streams.ts';
import { loadPart } from '../runtime/parts.ts';

type Streams = typeof part;
export type ReadableStream<T = unknown> = part.ReadableStream<T>;
export type { ByteController, ByteStream, Reader, ReadSteps } from './access.ts';

let loaded: Streams | undefined;

/** Called by the part when it has been loaded. */
export function setStreams(streams: Streams): void {
  loaded = streams;
}

export function streams(): Streams {
  return loaded ?? (loadPart('streams') as unknown as Streams);
}

export function isReadableStream(value: unknown): value is part.ByteStream {
  return loaded !== undefined && loaded.isReadable(value);
}

/** Is it a readable, writable or transform stream? */
export function isStream(value: object): boolean {
  return loaded !== undefined && loaded.isAnyStream(value);
}
