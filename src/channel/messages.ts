/**
 * A WebSocket's messages on an exchange's byte stream, each way: `[u32 length][u8 kind][payload]`, little endian. A close
 * is a `u16` code and a reason in UTF-8, and the last record of its direction.
 *
 * Flow control stays the exchange's own: whoever reads grants what it has taken.
 */
import { ProtocolError, RESET_CODES } from './codec.ts';
import type { Exchange } from './exchange.ts';

export const MESSAGE = { text: 1, binary: 2, close: 3 } as const;
export type MessageKind = (typeof MESSAGE)[keyof typeof MESSAGE];

/** Close codes that the platform itself gives or stands for (RFC 6455 §7.4.1 and its registry). */
export const CLOSE_CODES = {
  goingAway: 1001,
  /** A close frame without a code. Never sent. */
  none: 1005,
  /** The connection ended without a close frame. Never sent. */
  lost: 1006,
  tooLarge: 1009,
  internal: 1011,
  restart: 1012,
  tryAgainLater: 1013,
} as const;

export const MESSAGE_HEADER_BYTES = 5;
const MAX_CLOSE_BYTES = 125; // RFC 6455 §5.5: payload of a control frame
const JOINED_BYTES = 16 * 1024; // a shorter payload is copied behind its header: one frame instead of two

/** Hears of messages in parts, as they arrive. `last`: that was the end of the message. */
export interface MessageSink {
  onPart(kind: MessageKind, part: Buffer, last: boolean): void;
}

/** Takes the records of one direction apart. Keeps nothing but the header that it is in. */
export class MessageReader {
  readonly #sink: MessageSink;
  readonly #maxBytes: number;
  readonly #header = Buffer.alloc(MESSAGE_HEADER_BYTES);
  #headerBytes = 0;
  #kind: MessageKind = MESSAGE.text;
  #due = 0;

  constructor(sink: MessageSink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** Throws a ProtocolError when the peer does not keep to the format. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < MESSAGE_HEADER_BYTES) {
        const size = chunk.copy(this.#header, this.#headerBytes, at, at + MESSAGE_HEADER_BYTES - this.#headerBytes);
        this.#headerBytes += size;
        at += size;
        if (this.#headerBytes < MESSAGE_HEADER_BYTES) return;
        this.#begin();
        continue;
      }
      const end = Math.min(chunk.length, at + this.#due);
      const part = chunk.subarray(at, end);
      this.#due -= part.length;
      at = end;
      this.#emit(part);
    }
  }

  #begin(): void {
    const length = this.#header.readUInt32LE(0);
    const kind = this.#header[4];
    if (kind !== MESSAGE.text && kind !== MESSAGE.binary && kind !== MESSAGE.close) {
      throw new ProtocolError(`message of kind ${kind}`);
    }
    const limit = kind === MESSAGE.close ? MAX_CLOSE_BYTES : this.#maxBytes;
    if (length > limit) throw new ProtocolError(`message of ${length} bytes, limit is ${limit}`);
    this.#kind = kind;
    this.#due = length;
    if (length === 0) this.#emit(EMPTY);
  }

  #emit(part: Buffer): void {
    const last = this.#due === 0;
    if (last) this.#headerBytes = 0;
    this.#sink.onPart(this.#kind, part, last);
  }
}

/** As `Exchange.write`: false when some of it has to wait. */
export function writeMessage(exchange: Exchange, kind: MessageKind, payload: Uint8Array): boolean {
  const joined = payload.length <= JOINED_BYTES;
  const record = Buffer.allocUnsafe(MESSAGE_HEADER_BYTES + (joined ? payload.length : 0));
  record.writeUInt32LE(payload.length, 0);
  record[4] = kind;
  if (!joined) {
    exchange.write(record);
    return exchange.write(payload);
  }
  record.set(payload, MESSAGE_HEADER_BYTES);
  return exchange.write(record);
}

/** The last record of a direction, and the end of it. A reason that is too long is cut. */
export function writeClose(exchange: Exchange, code: number, reason: string | Uint8Array): void {
  const text = typeof reason === 'string' ? Buffer.from(reason) : reason;
  const payload = Buffer.alloc(2 + Math.min(text.length, MAX_CLOSE_BYTES - 2));
  payload.writeUInt16LE(code & 0xffff, 0);
  payload.set(text.subarray(0, payload.length - 2), 2);
  writeMessage(exchange, MESSAGE.close, payload);
  exchange.end();
}

export function parseClose(payload: Buffer): { readonly code: number; readonly reason: string } {
  if (payload.length < 2) return { code: CLOSE_CODES.none, reason: '' };
  return { code: payload.readUInt16LE(0), reason: payload.toString('utf8', 2) };
}

/** What a reset of the exchange means for the one who still has the connection. */
export function closeCodeOf(resetCode: number): number {
  if (resetCode === RESET_CODES.restarted || resetCode === RESET_CODES.channelClosed) return CLOSE_CODES.restart;
  return resetCode === RESET_CODES.internal ? CLOSE_CODES.internal : CLOSE_CODES.goingAway;
}

const EMPTY = Buffer.alloc(0);
