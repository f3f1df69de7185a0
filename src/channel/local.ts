/**
 * An exchange whose two ends are in the same process: a service binding's call, or a Worker run as a library. Same
 * surface and same flow control as over a socket, without frames. Events arrive in a later turn of the event loop, never
 * inside the call that caused them: neither end is re-entered, and two that talk without end leave others their turn.
 */
import { FRAME_LIMITS } from './codec.ts';
import type { Exchange, ExchangeEvents } from './exchange.ts';

/** Answers a request; as `ChannelHandlers.onRequest`. */
export type Responder = (exchange: Exchange, head: string, body: Buffer, fin: boolean) => ExchangeEvents;

const EMPTY = Buffer.alloc(0);
const SILENT: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };
let nextId = 1;

/** Opens an exchange with `responder`. As `Channel.request`. */
export function openLocalExchange(
  responder: Responder,
  head: string,
  body: Uint8Array | undefined,
  options: { fin: boolean; events: ExchangeEvents },
): Exchange {
  const id = nextId++;
  const requester = new LocalEnd(id);
  const answerer = new LocalEnd(id);
  requester.connect(answerer, options.events);
  answerer.connect(requester, SILENT);
  requester.spend(body?.byteLength ?? 0);
  answerer.receivedBytes = requester.writtenBytes;
  requester.ended = options.fin;
  answerer.later(() => {
    answerer.events = responder(answerer, head, toBuffer(body), options.fin);
  });
  return requester;
}

class LocalEnd implements Exchange {
  readonly id: number;
  events: ExchangeEvents = SILENT;
  ended = false;
  receivedBytes = 0;
  writtenBytes = 0;
  #peer: LocalEnd | undefined;
  #credit: number = FRAME_LIMITS.windowBytes;
  #queue: Buffer[] = [];
  #closed = false;

  constructor(id: number) {
    this.id = id;
  }

  connect(peer: LocalEnd, events: ExchangeEvents): void {
    this.#peer = peer;
    this.events = events;
  }

  get credit(): number {
    return this.#queue.length > 0 ? 0 : Math.max(this.#credit, 0);
  }

  get queuedBytes(): number {
    return this.#queue.reduce((bytes, chunk) => bytes + chunk.byteLength, 0);
  }

  respond(status: number, head: string, body: Uint8Array | string | undefined, fin: boolean): void {
    if (this.#closed || this.ended) return;
    const bytes = toBuffer(body);
    this.spend(bytes.byteLength);
    this.ended = fin;
    if (this.#peer !== undefined) this.#peer.receivedBytes += bytes.byteLength;
    this.#peer?.later((events) => events.onResponse?.(status, head, bytes, fin));
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed || this.ended) return true;
    const bytes = toBuffer(chunk);
    this.writtenBytes += bytes.byteLength;
    this.#queue.push(bytes);
    this.#pump();
    return this.#queue.length === 0;
  }

  end(): void {
    if (this.#closed || this.ended) return;
    this.ended = true;
    if (this.#queue.length === 0) this.#peer?.later((events) => events.onEnd());
  }

  reset(code: number, reason = ''): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue = [];
    const peer = this.#peer;
    peer?.later((events) => {
      peer.#closed = true;
      events.onReset(code, reason);
    });
  }

  grant(bytes: number): void {
    const peer = this.#peer;
    if (peer === undefined || bytes <= 0) return;
    peer.#credit += bytes;
    if (peer.#queue.length > 0) peer.later(() => peer.#pump(true));
  }

  spend(bytes: number): void {
    this.writtenBytes += bytes;
    this.#credit -= bytes;
  }

  /** Runs an event of this end in the next turn, unless it has been reset by then. */
  later(event: (events: ExchangeEvents) => void): void {
    setImmediate(() => {
      if (!this.#closed) event(this.events);
    });
  }

  #pump(wasQueued = false): void {
    if (wasQueued && this.#queue.length === 0) return; // an earlier grant of the same turn has seen to it
    while (this.#queue.length > 0 && this.#credit > 0) {
      const chunk = this.#queue.shift() ?? EMPTY;
      this.#credit -= chunk.byteLength;
      if (this.#peer !== undefined) this.#peer.receivedBytes += chunk.byteLength;
      this.#peer?.later((events) => events.onData(chunk));
    }
    if (!wasQueued || this.#queue.length > 0) return;
    if (this.ended) this.#peer?.later((events) => events.onEnd());
    this.events.onDrain?.();
  }
}

function toBuffer(body: Uint8Array | string | undefined): Buffer {
  if (body === undefined) return EMPTY;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
