import type { Socket } from 'node:net';
import { type CallAnswer, type CallResult, Calls } from './calls.ts';
import {
  FRAME,
  FRAME_LIMITS,
  isLater,
  MAX_STREAM,
  ProtocolError,
  REQUEST_FIXED_BYTES,
  RESET_CODES,
  RESPONSE_FIXED_BYTES,
} from './codec.ts';
import { ChannelExchange, type Exchange, type ExchangeEvents, type ExchangeHost } from './exchange.ts';
import { IdTable } from '../id-table.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { FrameWriter, type WriterOwner } from './frame-writer.ts';

const { openExchanges: MAX_OPEN, reasonBytes: MAX_REASON } = FRAME_LIMITS;

const CLOSE_GRACE_MS = 10_000; // for a peer that does not close its side after close()

export interface ChannelOptions {
  /** Which stream ids this end gives out. The two ends must differ. */
  readonly ids: 'odd' | 'even';
  /** Largest CALL, RESULT or NOTIFY, in bytes, both ends the same. Default 32 MiB. */
  readonly maxFrameBytes?: number;
}

/** What the peer may start. Whoever throws here (except in `onCall`) ends the channel with that error. */
export interface ChannelHandlers {
  /**
   * The peer opened an exchange; returns who listens to the rest of it. `head` is latin1, `body` the first bytes
   * (maybe empty), `fin` says that no more body follows. Absent: every exchange is refused.
   */
  onRequest?(exchange: Exchange, head: string, body: Buffer, fin: boolean): ExchangeEvents;
  /**
   * The peer calls a method. `params` and `value` are JSON, `payload` raw bytes. A thrown error reaches the caller as
   * an Error with the same message, and the same `code` if that is a string or a number.
   */
  onCall?(method: string, params: unknown, payload: Buffer): Promise<CallAnswer | undefined>;
  /** One-way message. */
  onNotify?(type: string, params: unknown, payload: Buffer): void;
  /** The channel has ended: once, whatever the cause. Exchanges have had `onReset` and calls been rejected before. */
  onClose?(error: Error | undefined): void;
}

/** One end of a link between two processes. Never throws out of the socket's events. */
export interface Channel {
  readonly closed: boolean;
  /**
   * Opens an exchange: head, first body bytes, and with `fin` that is the whole body. Never blocks. When the channel
   * is closed or full, `onReset` follows later (`refused`, `channelClosed`). Throws RangeError on an oversized head.
   */
  request(head: string, body: Uint8Array | undefined, fin: boolean, events: ExchangeEvents): Exchange;
  /** Calls the peer. Rejects with its error, or when the channel ends, or when too many calls are pending. */
  call(method: string, params: unknown, payload?: Uint8Array): Promise<CallResult>;
  /** Dropped silently when the channel is closed. */
  notify(type: string, params: unknown, payload?: Uint8Array): void;
  /** Bytes that have come, and that have been written. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Open exchanges right now, both directions. */
  readonly openExchanges: number;
  /** Ends the socket after what has been said is written. Bodies still waiting for credit are cut off. */
  close(): void;
  /** Ends it now. */
  destroy(error?: Error): void;
}

/** Speaks the protocol on a connected socket, which belongs to the channel from here on. */
export function openChannel(socket: Socket, options: ChannelOptions, handlers: ChannelHandlers): Channel {
  return new SocketChannel(socket, options, handlers);
}

class SocketChannel implements Channel, ExchangeHost, FrameSink, WriterOwner {
  readonly writer: FrameWriter;
  readonly #socket: Socket;
  readonly #handlers: ChannelHandlers;
  readonly #reader: FrameReader;
  readonly #calls: Calls;
  /** Exchanges that we opened, and those that the peer did. */
  readonly #own = new IdTable<ChannelExchange>(1);
  readonly #peers = new IdTable<ChannelExchange>(1);
  /** Exchanges whose bodies wait for the socket. */
  readonly #stalled = new Set<ChannelExchange>();
  readonly #peerIsOdd: boolean;
  #lastOwnId: number;
  #lastPeerId: number;
  #closed = false;
  /** We ended it in order: what goes wrong on the socket after that is not an error. */
  #finishing = false;
  #error: Error | undefined;

  constructor(socket: Socket, options: ChannelOptions, handlers: ChannelHandlers) {
    const { ids, maxFrameBytes = FRAME_LIMITS.frameBytes } = options;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#peerIsOdd = ids === 'even';
    // As if the number before the first had been given out: odd ids begin at 1, even ones at 2.
    this.#lastOwnId = ids === 'odd' ? -1 : 0;
    this.#lastPeerId = ids === 'odd' ? 0 : -1;
    this.writer = new FrameWriter(socket, this);
    this.#reader = new FrameReader(this, maxFrameBytes);
    this.#calls = new Calls(this.writer, handlers, maxFrameBytes);
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('end', () => this.destroy(this.#reader.partial ? new ProtocolError('truncated frame') : undefined));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.#onSocketClose());
    if (socket.destroyed) process.nextTick(() => this.#onSocketClose());
  }

  get closed(): boolean {
    return this.#closed;
  }

  get stopped(): boolean {
    return this.#closed;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  get openExchanges(): number {
    return this.#own.size + this.#peers.size;
  }

  request(head: string, body: Uint8Array | undefined, fin: boolean, events: ExchangeEvents): Exchange {
    if (this.#closed || this.#own.size >= MAX_OPEN) return this.#refuse(events);
    const id = this.#nextId();
    const exchange = new ChannelExchange(this, id, false);
    exchange.events = events;
    this.#own.add(exchange);
    try {
      exchange.open(head, body, fin);
    } catch (error) {
      this.#own.delete(id); // nothing has been sent
      throw error;
    }
    return exchange;
  }

  call(method: string, params: unknown, payload?: Uint8Array): Promise<CallResult> {
    if (this.#closed) return Promise.reject(new Error(`Cannot call ${method}: channel is closed`));
    return this.#calls.call(method, params, payload);
  }

  notify(type: string, params: unknown, payload?: Uint8Array): void {
    if (!this.#closed) this.#calls.notify(type, params, payload);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#finishing = true;
    // Our direction only: the peer, which may be in the middle of a sentence, closes when it has read to the end.
    this.writer.close();
    setTimeout(() => this.#socket.destroy(), CLOSE_GRACE_MS).unref();
  }

  destroy(error?: Error): void {
    // Also after close(), which waits for the peer to read.
    this.#closed = true;
    if (!this.#finishing) this.#error ??= error;
    this.writer.discard();
    this.#socket.destroy();
  }

  release(exchange: ChannelExchange): void {
    (exchange.isResponder ? this.#peers : this.#own).delete(exchange.id);
    if (this.#stalled.size > 0) this.#stalled.delete(exchange);
  }

  stall(exchange: ChannelExchange): void {
    this.#stalled.add(exchange);
  }

  onWritable(): void {
    if (this.#stalled.size === 0) return;
    const waiting = [...this.#stalled];
    this.#stalled.clear();
    for (const exchange of waiting) exchange.pump(); // whoever finds the socket full again stalls again
  }

  onStuck(error: Error): void {
    this.destroy(error);
  }

  #onChunk(chunk: Buffer): void {
    if (this.#closed) return;
    this.writer.hold();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.destroy(toError(error));
    }
    this.writer.release();
  }

  frame(type: number, stream: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case FRAME.request:
        this.#onRequest(stream, bytes, start, end);
        return;
      case FRAME.response:
        this.#onResponse(stream, bytes, start, end);
        return;
      case FRAME.data:
        this.#find(stream)?.receiveData(bytes.subarray(start, end));
        return;
      case FRAME.end:
        this.#find(stream)?.receiveEnd();
        return;
      case FRAME.reset:
        this.#find(stream)?.receiveReset(bytes.readUInt16LE(start), bytes.toString('utf8', start + 2, end));
        return;
      case FRAME.credit:
        this.#find(stream)?.receiveCredit(bytes.readUInt32LE(start));
        return;
      default:
        this.#calls.receive(type, stream, bytes.subarray(start, end));
    }
  }

  #onRequest(id: number, bytes: Buffer, start: number, end: number): void {
    if (!this.#isPeers(id) || !isLater(id, this.#lastPeerId)) {
      throw new ProtocolError(`exchange ${id} cannot be opened: wrong parity, or used before`);
    }
    if (this.#peers.size >= MAX_OPEN) throw new ProtocolError(`more than ${MAX_OPEN} exchanges are open`);
    if (this.#peers.get(id) !== undefined) throw new ProtocolError(`exchange ${id} is still open`);
    this.#lastPeerId = id;
    const bodyStart = start + REQUEST_FIXED_BYTES + headLength(bytes, start, end - REQUEST_FIXED_BYTES);
    const fin = isFin(bytes, start);
    const exchange = new ChannelExchange(this, id, true);
    this.#peers.add(exchange);
    exchange.receiveRequest(end - bodyStart, fin);
    if (this.#handlers.onRequest === undefined) {
      exchange.reset(RESET_CODES.refused, 'exchanges are not taken here');
      return;
    }
    const head = bytes.toString('latin1', start + REQUEST_FIXED_BYTES, bodyStart);
    exchange.events = this.#handlers.onRequest(exchange, head, bytes.subarray(bodyStart, end), fin);
  }

  #onResponse(id: number, bytes: Buffer, start: number, end: number): void {
    const exchange = this.#find(id);
    const headStart = start + RESPONSE_FIXED_BYTES;
    const bodyStart = headStart + headLength(bytes, start, end - RESPONSE_FIXED_BYTES);
    if (exchange === undefined) return;
    const status = bytes.readUInt16LE(start + 5);
    const head = bytes.toString('latin1', headStart, bodyStart);
    exchange.receiveResponse(status, head, bytes.subarray(bodyStart, end), isFin(bytes, start));
  }

  /**
   * The exchange of a frame, or undefined when it has ended: each side may still have been speaking when the other
   * ended it, so frames for numbers already given out are dropped. Nothing need be remembered for that.
   */
  #find(id: number): ChannelExchange | undefined {
    const isPeers = this.#isPeers(id);
    const exchange = (isPeers ? this.#peers : this.#own).get(id);
    if (exchange !== undefined) return exchange;
    const last = isPeers ? this.#lastPeerId : this.#lastOwnId;
    if (id === 0 || isLater(id, last)) throw new ProtocolError(`exchange ${id} was never opened`);
    return undefined;
  }

  #isPeers(id: number): boolean {
    return ((id & 1) === 1) === this.#peerIsOdd;
  }

  #nextId(): number {
    let id = this.#lastOwnId;
    do {
      id = (id + 2) & MAX_STREAM;
    } while (id === 0 || this.#own.get(id) !== undefined); // after a wrap, an old exchange may still hold its number
    this.#lastOwnId = id;
    return id;
  }

  #refuse(events: ExchangeEvents): Exchange {
    const code = this.#closed ? RESET_CODES.channelClosed : RESET_CODES.refused;
    const reason = this.#closed ? 'channel is closed' : 'too many exchanges are open';
    const exchange = new ChannelExchange(this, 0, false);
    exchange.events = events;
    exchange.refuse(code, reason);
    return exchange;
  }

  #onSocketClose(): void {
    this.#closed = true;
    this.writer.discard();
    const reason = this.#error?.message ?? 'channel is closed';
    const open = [...this.#own.values(), ...this.#peers.values()];
    this.#stalled.clear();
    try {
      for (const exchange of open) exchange.receiveReset(RESET_CODES.channelClosed, reason.slice(0, MAX_REASON));
    } catch (error) {
      this.#error ??= toError(error);
    }
    this.#calls.rejectAll(reason);
    this.#handlers.onClose?.(this.#error);
  }
}

function isFin(bytes: Buffer, start: number): boolean {
  const fin = bytes[start];
  if (fin !== 0 && fin !== 1) throw new ProtocolError(`fin byte is ${fin}, allowed are 0 and 1`);
  return fin === 1;
}

function headLength(bytes: Buffer, start: number, room: number): number {
  const length = bytes.readUInt32LE(start + 1);
  if (length > room - start || length > FRAME_LIMITS.headBytes) {
    throw new ProtocolError(`head of ${length} bytes does not fit its frame`);
  }
  return length;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
