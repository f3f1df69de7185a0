import type { Socket } from 'node:net';
import {
  FRAME,
  FRAME_LIMITS,
  PREFIX_BYTES,
  ProtocolError,
  REQUEST_FIXED_BYTES,
  RESPONSE_FIXED_BYTES,
} from './codec.ts';

const INITIAL_BYTES = 64 * 1024;
const KEPT_BYTES = 1024 * 1024; // a buffer that grew beyond this is given back once it has been written
const EARLY_FLUSH_BYTES = 256 * 1024; // more than a socket takes at once: no use in gathering further
const CONGESTED_BYTES = 1024 * 1024; // beyond this, bodies wait in their exchanges and only control frames are queued

/** Who is told about the state of the writer. */
export interface WriterOwner {
  /** Everything gathered has gone to the kernel: bodies that waited may go on. */
  onWritable(): void;
  /** The peer does not read: more than `FRAME_LIMITS.queuedBytes` wait for it. */
  onStuck(error: Error): void;
}

/**
 * Gathers the frames of one turn of the event loop and writes them with one system call.
 *
 * Two buffers take turns: one is filled while the kernel may still be reading the other. While the socket is busy
 * frames gather further, so a slow peer costs one growing buffer, not thousands of small ones.
 */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #owner: WriterOwner;
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #spare: Buffer | undefined;
  #at = 0;
  /** Bytes given to the socket and not yet taken by the kernel. */
  #inFlight = 0;
  /** Callbacks still to come for writes that were taken at once: they say nothing of the one in flight. */
  #stale = 0;
  #scheduled = false;
  #held = false;
  #ended = false;

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
  }

  /** True when body bytes should wait in their exchange until `onWritable`. */
  get congested(): boolean {
    return this.#at + this.#inFlight > CONGESTED_BYTES;
  }

  /** Between `hold` and `release` nothing is scheduled: `release` flushes what incoming frames made us say. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    if (this.#at > 0) this.flush();
  }

  request(stream: number, head: string, body: Uint8Array | undefined, bodyEnd: number, fin: boolean): void {
    const headLength = head.length;
    let at = this.#frame(FRAME.request, stream, REQUEST_FIXED_BYTES + headLength + bodyEnd);
    const buffer = this.#buffer;
    buffer[at] = fin ? 1 : 0;
    at = buffer.writeUInt32LE(headLength, at + 1);
    at += buffer.write(head, at, headLength, 'latin1');
    if (body !== undefined) copyInto(buffer, at, body, 0, bodyEnd);
    this.#sent();
  }

  response(
    stream: number,
    status: number,
    head: string,
    body: Uint8Array | undefined,
    bodyEnd: number,
    fin: boolean,
  ): void {
    const at = this.#response(stream, status, head, bodyEnd, fin);
    if (body !== undefined) copyInto(this.#buffer, at, body, 0, bodyEnd);
    this.#sent();
  }

  /** As `response`, with a text as body; returns its length in UTF-8. */
  responseText(stream: number, status: number, head: string, body: string, fin: boolean): number {
    const worst = body.length * 3;
    const at = this.#response(stream, status, head, worst, fin);
    const written = this.#buffer.write(body, at, worst, 'utf8');
    // Written for the worst case: take back what the text did not need.
    const frameStart = at - head.length - RESPONSE_FIXED_BYTES - PREFIX_BYTES;
    this.#at = at + written;
    this.#buffer.writeUInt32LE(this.#at - frameStart - 4, frameStart);
    this.#sent();
    return written;
  }

  data(stream: number, chunk: Uint8Array, start: number, end: number): void {
    const at = this.#frame(FRAME.data, stream, end - start);
    copyInto(this.#buffer, at, chunk, start, end);
    this.#sent();
  }

  end(stream: number): void {
    this.#frame(FRAME.end, stream, 0);
    this.#sent();
  }

  reset(stream: number, code: number, reason: string): void {
    const bytes = Buffer.from(reason.slice(0, FRAME_LIMITS.reasonBytes));
    const length = Math.min(bytes.length, FRAME_LIMITS.reasonBytes);
    const at = this.#frame(FRAME.reset, stream, 2 + length);
    this.#buffer.writeUInt16LE(code, at);
    copyInto(this.#buffer, at + 2, bytes, 0, length);
    this.#sent();
  }

  credit(stream: number, bytes: number): void {
    const at = this.#frame(FRAME.credit, stream, 4);
    this.#buffer.writeUInt32LE(bytes, at);
    this.#sent();
  }

  /** CALL, RESULT, FAILURE or NOTIFY. Throws RangeError when the frame would exceed `maxBytes`. */
  message(type: number, stream: number, json: string, payload: Uint8Array | undefined, maxBytes: number): void {
    const jsonLength = Buffer.byteLength(json);
    const payloadLength = payload === undefined ? 0 : payload.length;
    const length = 4 + jsonLength + payloadLength;
    if (length > maxBytes) throw new RangeError(`Cannot send message: it is ${length} bytes, limit is ${maxBytes}`);
    let at = this.#frame(type, stream, length);
    at = this.#buffer.writeUInt32LE(jsonLength, at);
    at += this.#buffer.write(json, at, jsonLength, 'utf8');
    if (payload !== undefined) copyInto(this.#buffer, at, payload, 0, payloadLength);
    this.#sent();
  }

  /** Writes what has been gathered, unless the socket is still busy with the last time. */
  flush(): void {
    this.#write();
    if (this.#inFlight === 0) this.#owner.onWritable();
  }

  /** Writes the rest, then ends our direction of the socket. What is written after it goes nowhere. */
  close(): void {
    if (this.#ended) return;
    if (this.#at > 0) this.#socket.write(this.#buffer.subarray(0, this.#at));
    this.#buffer = Buffer.alloc(0);
    this.#at = 0;
    this.#ended = true;
    this.#socket.end();
  }

  /** Forgets what is queued and takes no more. */
  discard(): void {
    this.#ended = true;
    this.#at = 0;
    this.#inFlight = 0;
    this.#buffer = Buffer.alloc(0);
    this.#spare = undefined;
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error) return; // the socket's own events will tell
    if (this.#stale > 0) {
      this.#stale--;
      return;
    }
    this.#inFlight = 0;
    if (this.#spare !== undefined && this.#spare.length > KEPT_BYTES) this.#spare = undefined;
    this.flush();
  };

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  #write(): void {
    const size = this.#at;
    if (this.#inFlight > 0 || size === 0 || this.#ended) return;
    const socket = this.#socket;
    const full = this.#buffer;
    this.#at = 0;
    this.#inFlight = size;
    socket.write(full.subarray(0, size), this.#onWritten);
    if (socket.writableLength === 0) {
      // The kernel took it at once, the usual case: the same buffer serves again.
      this.#inFlight = 0;
      this.#stale++;
      if (full.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
      return;
    }
    this.#buffer = this.#spare ?? Buffer.allocUnsafeSlow(INITIAL_BYTES);
    this.#spare = full;
  }

  #response(stream: number, status: number, head: string, bodyLength: number, fin: boolean): number {
    const headLength = head.length;
    const at = this.#frame(FRAME.response, stream, RESPONSE_FIXED_BYTES + headLength + bodyLength);
    const buffer = this.#buffer;
    buffer[at] = fin ? 1 : 0;
    buffer.writeUInt32LE(headLength, at + 1);
    buffer.writeUInt16LE(status, at + 5);
    if (headLength > 0) buffer.write(head, at + RESPONSE_FIXED_BYTES, headLength, 'latin1');
    return at + RESPONSE_FIXED_BYTES + headLength;
  }

  /** Makes room for a frame and writes its prefix; returns where its payload begins. */
  #frame(type: number, stream: number, payloadLength: number): number {
    if (this.#ended) return this.#scrap(payloadLength);
    const start = this.#at;
    const end = start + PREFIX_BYTES + payloadLength;
    if (end > this.#buffer.length) this.#grow(end);
    const buffer = this.#buffer;
    buffer.writeUInt32LE(5 + payloadLength, start);
    buffer[start + 4] = type;
    buffer.writeUInt32LE(stream, start + 5);
    this.#at = end;
    return start + PREFIX_BYTES;
  }

  /** After the end frames are written to nowhere, so that callers need not ask. */
  #scrap(payloadLength: number): number {
    this.#buffer = Buffer.alloc(PREFIX_BYTES + payloadLength);
    return PREFIX_BYTES;
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(size, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }

  #sent(): void {
    if (this.#ended) {
      this.#at = 0;
      return;
    }
    if (this.#at > EARLY_FLUSH_BYTES) {
      this.#write(); // without onWritable, which may write in its turn
      if (this.#at + this.#inFlight > FRAME_LIMITS.queuedBytes) {
        this.#owner.onStuck(new ProtocolError(`peer does not read: ${this.#at + this.#inFlight} bytes are waiting`));
        return;
      }
    }
    if (this.#held || this.#scheduled || this.#inFlight > 0) return;
    this.#scheduled = true;
    // Not nextTick: that runs after every socket's callback, an immediate once after all sockets of this turn.
    setImmediate(this.#onTurn);
  }
}

function copyInto(target: Buffer, at: number, source: Uint8Array, start: number, end: number): void {
  if (end > start) target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
}
