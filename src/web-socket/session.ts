import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import {
  CLOSE_CODES,
  closeCodeOf,
  type Exchange,
  type ExchangeEvents,
  MESSAGE,
  type MessageKind,
  MessageReader,
  type MessageSink,
  parseClose,
  RESET_CODES,
  writeClose,
  writeMessage,
} from '../channel/index.ts';
import { MAX_WEB_SOCKET_FRAGMENTS, MAX_WEB_SOCKET_MESSAGE_BYTES } from '../limits.ts';
import { keepAlive, leaveAlone } from './keep-alive.ts';

const CLOSE_TIMEOUT_MS = 10_000; // for the other side's close frame, before the connection is cut
const MAX_CHUNKS = 32_768; // as they came from the network, of a frame that is not complete: 1 KiB each make the largest
const FREE_BYTES = 64 * 1024; // of a session's incoming message, before it counts against the budget of all
const CONTROL_HEADER_BYTES = 6; // of a masked ping or pong
const BUDGET_BYTES = 256 * 1024 * 1024; // of incoming messages that are not complete or wait for their cell, all together

/** For `ws` on both sides. Compression is declined: it costs each connection some 300 KB and the platform the CPU time. */
export const SESSION_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_WEB_SOCKET_MESSAGE_BYTES,
  maxFragments: MAX_WEB_SOCKET_FRAGMENTS,
  maxBufferedChunks: MAX_CHUNKS,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** Of all sessions of this process. */
let heldByAll = 0;

/**
 * An open WebSocket, perhaps paused, joined to an exchange on which nothing has been said since its 101. Ends with either
 * of them.
 */
export class WebSocketSession implements ExchangeEvents, MessageSink {
  readonly #ws: WebSocket;
  /** The connection below `ws`. */
  readonly #socket: Duplex;
  readonly #exchange: Exchange;
  readonly #onEnd: (() => void) | undefined;
  readonly #reader = new MessageReader(this, MAX_WEB_SOCKET_MESSAGE_BYTES);
  #closing: Buffer[] = [];
  /** Bytes of incoming messages that are not complete, or wait for the cell to take them. */
  #held = 0;
  /** Bytes from the cell that wait for the connection: granted once they have gone. */
  #ungranted = 0;
  /** Something has come in since the last ping. */
  #alive = true;
  #over = false;

  constructor(ws: WebSocket, socket: Duplex, options: { exchange: Exchange; onEnd?: () => void }) {
    this.#ws = ws;
    this.#socket = socket;
    this.#exchange = options.exchange;
    this.#onEnd = options.onEnd;
    ws.on('message', (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    ws.on('close', (code, reason) => this.#onClose(code, reason));
    ws.on('error', () => {}); // its close follows
    ws.on('ping', (data: Buffer) => this.#release(CONTROL_HEADER_BYTES + data.length));
    ws.on('pong', (data: Buffer) => this.#release(CONTROL_HEADER_BYTES + data.length));
    // Before ws makes messages of them, which releases them again.
    socket.prependListener('data', (chunk: Buffer) => this.#onBytes(chunk.length));
    socket.on('drain', () => this.#grant());
    keepAlive(this);
    ws.resume();
    if (ws.readyState === ws.CLOSED) this.#onClose(CLOSE_CODES.lost, EMPTY); // before anybody listened
  }

  /** Asks for the end with a close frame. What is on its way before the other side's still arrives. */
  close(code: number): void {
    this.#ws.close(code);
    this.#ws.resume(); // the answer is behind what has not been read
  }

  /** Ends it without asking: the exchange is over at once, the connection gets a close frame. */
  cut(code: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#exchange.reset(RESET_CODES.canceled, 'connection lost');
    this.close(code);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Once in a while: cuts a connection that has been silent since the last time. */
  beat(): void {
    // Of one that is not being read from, nobody can tell whether it is silent.
    if (!this.#alive && !this.#ws.isPaused) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  // Events of the exchange: what the Worker sends.

  onData(chunk: Buffer): void {
    if (this.#over) return;
    try {
      this.#reader.push(chunk);
    } catch {
      this.cut(CLOSE_CODES.internal);
      return;
    }
    this.#ungranted += chunk.length;
    if (!this.#socket.writableNeedDrain) this.#grant();
  }

  onPart(kind: MessageKind, part: Buffer, last: boolean): void {
    if (kind === MESSAGE.close) {
      this.#closing.push(part);
      if (last) this.#sendClose();
    } else if (this.#ws.readyState === this.#ws.OPEN) {
      // In fragments, as it comes: a long message is never here as a whole.
      this.#ws.send(part, { binary: kind === MESSAGE.binary, fin: last });
    }
  }

  onEnd(): void {}

  onDrain(): void {
    this.#release(this.#held);
    this.#ws.resume();
  }

  onReset(code: number): void {
    this.#over = true;
    this.close(closeCodeOf(code));
  }

  #grant(): void {
    this.#exchange.grant(this.#ungranted);
    this.#ungranted = 0;
  }

  #sendClose(): void {
    const { code, reason } = parseClose(Buffer.concat(this.#closing));
    this.#closing = [];
    if (code === CLOSE_CODES.none) this.#ws.close();
    else if (isSendable(code)) this.#ws.close(code, reason);
    else this.#ws.close(CLOSE_CODES.internal);
    this.#ws.resume();
  }

  // Events of the connection: what the peer sends.

  #onBytes(count: number): void {
    this.#alive = true;
    this.#held += count;
    heldByAll += count;
    if (this.#held > FREE_BYTES && heldByAll > BUDGET_BYTES) this.cut(CLOSE_CODES.tryAgainLater);
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    if (writeMessage(this.#exchange, isBinary ? MESSAGE.binary : MESSAGE.text, data)) this.#release(this.#held);
    else this.#ws.pause();
  }

  #onClose(code: number, reason: Buffer): void {
    this.#release(this.#held);
    leaveAlone(this);
    if (!this.#over) {
      if (code === CLOSE_CODES.lost) this.#exchange.reset(RESET_CODES.canceled, 'connection lost');
      else writeClose(this.#exchange, code, reason);
    }
    this.#over = true;
    this.#onEnd?.();
  }

  #release(bytes: number): void {
    const released = Math.min(bytes, this.#held);
    heldByAll -= released;
    this.#held -= released;
  }
}

/** RFC 6455 §7.4: what may stand in a close frame. */
function isSendable(code: number): boolean {
  if (code >= 3_000) return code < 5_000;
  return code >= 1_000 && code <= 1_014 && code !== 1_004 && code !== CLOSE_CODES.none && code !== CLOSE_CODES.lost;
}

const EMPTY = Buffer.alloc(0);
