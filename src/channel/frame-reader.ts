import { checkPrefix, PREFIX_BYTES } from './codec.ts';

/** Who takes the frames. `frame` may throw; `stopped` is asked after each frame. */
export interface FrameSink {
  readonly stopped: boolean;
  frame(type: number, stream: number, bytes: Buffer, start: number, end: number): void;
}

/**
 * Cuts a byte stream into frames, in place: bytes are copied only when a frame spans chunks, into a buffer of its own.
 * So what a sink keeps of `bytes` stays as it is, though a small slice may keep a 64 KiB chunk alive.
 * Memory is bounded by twice the bytes received of one frame, whatever length the frame claims.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameBytes: number;
  /** The frame that spans chunks, as far as it has come. */
  #spill: Buffer | undefined;
  #have = 0;
  /** Bytes of that frame, prefix included; 0 until the prefix is known. */
  #need = 0;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** True in the middle of a frame: an end of the stream here is a truncation. */
  get partial(): boolean {
    return this.#spill !== undefined;
  }

  /** Takes the next chunk. Throws ProtocolError, or what the sink throws; the reader must not be used after that. */
  push(chunk: Buffer): void {
    let at = this.#spill === undefined ? 0 : this.#resume(chunk, 0);
    const end = chunk.length;
    const sink = this.#sink;
    while (end - at >= PREFIX_BYTES && !sink.stopped) {
      const length = chunk.readUInt32LE(at);
      const type = chunk.readUInt8(at + 4);
      const stream = chunk.readUInt32LE(at + 5);
      checkPrefix(type, length, stream, this.#maxFrameBytes);
      const frameEnd = at + 4 + length;
      if (frameEnd > end) break;
      sink.frame(type, stream, chunk, at + PREFIX_BYTES, frameEnd);
      at = frameEnd;
    }
    if (at < end && !sink.stopped) this.#begin(chunk, at);
  }

  #begin(chunk: Buffer, at: number): void {
    this.#spill = Buffer.allocUnsafe(Math.max(chunk.length - at, PREFIX_BYTES));
    this.#have = 0;
    this.#need = 0;
    this.#resume(chunk, at);
  }

  /** Goes on with the spanning frame; returns where in this chunk it ends. */
  #resume(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#need === 0) {
      at = this.#take(chunk, at, PREFIX_BYTES);
      const prefix = this.#spill;
      if (this.#have < PREFIX_BYTES || prefix === undefined) return at;
      const length = prefix.readUInt32LE(0);
      checkPrefix(prefix.readUInt8(4), length, prefix.readUInt32LE(5), this.#maxFrameBytes);
      this.#need = 4 + length;
    }
    at = this.#take(chunk, at, this.#need);
    const frame = this.#spill;
    if (this.#have === this.#need && frame !== undefined) {
      this.#spill = undefined;
      this.#sink.frame(frame.readUInt8(4), frame.readUInt32LE(5), frame, PREFIX_BYTES, this.#need);
    }
    return at;
  }

  /** Copies until `upTo` bytes are there or the chunk is empty; returns where the chunk goes on. */
  #take(chunk: Buffer, from: number, upTo: number): number {
    const count = Math.min(upTo - this.#have, chunk.length - from);
    let spill = this.#spill;
    if (spill === undefined || count <= 0) return from;
    if (this.#have + count > spill.length) {
      // Doubled, not allocated whole: a claimed length costs nothing until its bytes arrive.
      const grown = Buffer.allocUnsafe(Math.min(upTo, Math.max(spill.length * 2, this.#have + count)));
      spill.copy(grown, 0, 0, this.#have);
      this.#spill = grown;
      spill = grown;
    }
    chunk.copy(spill, this.#have, from, from + count);
    this.#have += count;
    return from + count;
  }
}
