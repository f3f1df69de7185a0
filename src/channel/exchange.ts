import { FRAME_LIMITS, ProtocolError } from './codec.ts';
import type { FrameWriter } from './frame-writer.ts';

const { dataBytes, headBytes, windowBytes } = FRAME_LIMITS;
const GRANT_BATCH_BYTES = windowBytes / 4; // one CREDIT frame for several chunks; the peer still has 3/4 of its window

/** One request and its answer, seen from either end. */
export interface Exchange {
  readonly id: number;
  /**
   * Responder only, once: status, latin1 head, the first (or whole) body; a string is sent as UTF-8. With `fin` that
   * is all. Does nothing after a reset. Throws RangeError on a head above `FRAME_LIMITS.headBytes`.
   */
  respond(status: number, head: string, body: Uint8Array | string | undefined, fin: boolean): void;
  /**
   * Sends body bytes. What exceeds the credit is queued by reference (do not change it); returns false when something
   * is queued: then wait for `onDrain`. Does nothing after a reset.
   */
  write(chunk: Uint8Array | string): boolean;
  /** Ends this direction once everything queued has been sent. */
  end(): void;
  /** Aborts both directions. Idempotent. `code` is one of RESET_CODES, `reason` short text. No event follows. */
  reset(code: number, reason?: string): void;
  /**
   * Says that `bytes` of received body have been consumed, so that the peer may send as many more. Nothing is granted
   * by itself: the body given to `onRequest` and `onResponse` counts too. Ignored once the body has ended.
   */
  grant(bytes: number): void;
  /** Bytes that `write` would send without waiting for credit. */
  readonly credit: number;
  /** Bytes that wait for credit, or for the socket. */
  readonly queuedBytes: number;
  /** Body bytes so far: received, and given to be sent. */
  readonly receivedBytes: number;
  readonly writtenBytes: number;
}

/**
 * Who hears of the rest of an exchange. Buffers are never overwritten and may be kept; a small one may keep the
 * 64 KiB read chunk alive that it is part of. Whoever throws here ends the channel.
 */
export interface ExchangeEvents {
  /** The answer's head and first bytes. `fin`: that is the whole body, `onEnd` does not follow. */
  onResponse?(status: number, head: string, body: Buffer, fin: boolean): void;
  onData(chunk: Buffer): void;
  /** The peer's body has ended with a frame of its own. */
  onEnd(): void;
  /** The peer reset the exchange, or the channel ended. Nothing follows. */
  onReset(code: number, reason: string): void;
  /** Everything that waited has been sent. */
  onDrain?(): void;
}

/** What an exchange needs of its channel. */
export interface ExchangeHost {
  readonly writer: FrameWriter;
  /** Both directions have ended. */
  release(exchange: ChannelExchange): void;
  /** Body bytes wait for the socket, not for credit: call `pump` when it takes more. */
  stall(exchange: ChannelExchange): void;
}

const SILENT: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };

/** Both ends' exchange: the owner's surface above, and `receive*` for the frames of the peer. */
export class ChannelExchange implements Exchange {
  readonly id: number;
  /** The peer opened it. */
  readonly isResponder: boolean;
  events: ExchangeEvents = SILENT;
  receivedBytes = 0;
  writtenBytes = 0;
  readonly #host: ExchangeHost;
  #sendCredit: number = windowBytes;
  #receiveCredit: number = windowBytes;
  #ungranted = 0;
  #queue: Uint8Array[] | undefined;
  #closed = false;
  /** A response has been sent, or, at the requester, received. */
  #responded = false;
  #ending = false;
  #localDone = false;
  #remoteDone = false;

  constructor(host: ExchangeHost, id: number, isResponder: boolean) {
    this.#host = host;
    this.id = id;
    this.isResponder = isResponder;
  }

  get credit(): number {
    return this.#sendCredit;
  }

  get queuedBytes(): number {
    let bytes = 0;
    for (const chunk of this.#queue ?? []) bytes += chunk.length;
    return bytes;
  }

  /** Takes nothing, from now on; its owner hears of it in the next tick, when it has this exchange in hand. */
  refuse(code: number, reason: string): void {
    this.#closed = true;
    process.nextTick(() => this.events.onReset(code, reason));
  }

  /** Requester: sends the request frame. */
  open(head: string, body: Uint8Array | undefined, fin: boolean): void {
    checkHead(head);
    const writer = this.#host.writer;
    const first = this.#firstBytes(body);
    const whole = fin && (body === undefined || first === body.length);
    this.#sendCredit -= first;
    this.writtenBytes += first;
    writer.request(this.id, head, body, first, whole);
    this.#after(body, first, fin, whole);
  }

  respond(status: number, head: string, body: Uint8Array | string | undefined, fin: boolean): void {
    if (this.#closed) return;
    if (!this.isResponder || this.#responded)
      throw new Error('Cannot respond: not the responder, or for a second time');
    checkHead(head);
    this.#responded = true;
    const writer = this.#host.writer;
    let bytes: Uint8Array | undefined;
    if (typeof body === 'string') {
      if (body.length * 3 <= dataBytes && !writer.congested) {
        const bytes = writer.responseText(this.id, status, head, body, fin);
        this.#sendCredit -= bytes;
        this.writtenBytes += bytes;
        if (fin) this.#finishLocal();
        return;
      }
      bytes = Buffer.from(body);
    } else {
      bytes = body;
    }
    const first = this.#firstBytes(bytes);
    const whole = fin && (bytes === undefined || first === bytes.length);
    this.#sendCredit -= first;
    this.writtenBytes += first;
    writer.response(this.id, status, head, bytes, first, whole);
    this.#after(bytes, first, fin, whole);
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closed) return true;
    if (this.#ending || (this.isResponder && !this.#responded)) {
      throw new Error('Cannot write body: it has ended, or there is no response yet');
    }
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.writtenBytes += bytes.length;
    if (this.#queue !== undefined) {
      if (bytes.length > 0) this.#queue.push(bytes);
      return false;
    }
    const sent = this.#send(bytes, 0);
    if (sent === bytes.length) return true;
    this.#queue = [bytes.subarray(sent)];
    return false;
  }

  end(): void {
    if (this.#closed || this.#ending) return;
    if (this.isResponder && !this.#responded) throw new Error('Cannot end body: there is no response yet');
    this.#ending = true;
    if (this.#queue === undefined) this.#sendEnd();
  }

  reset(code: number, reason = ''): void {
    if (this.#closed) return;
    this.#close();
    this.#host.writer.reset(this.id, code, reason);
  }

  grant(bytes: number): void {
    if (this.#closed || this.#remoteDone) return;
    // Never above the window, or the peer would call us the one who broke the protocol.
    this.#ungranted = Math.min(this.#ungranted + bytes, windowBytes - this.#receiveCredit);
    if (this.#ungranted < GRANT_BATCH_BYTES) return;
    this.#receiveCredit += this.#ungranted;
    this.#host.writer.credit(this.id, this.#ungranted);
    this.#ungranted = 0;
  }

  /** Sends what waits, as far as credit and the socket allow. */
  pump(): void {
    const queue = this.#queue;
    if (queue === undefined || this.#closed) return;
    let done = 0;
    for (const chunk of queue) {
      const sent = this.#send(chunk, 0);
      if (sent < chunk.length) {
        queue[done] = chunk.subarray(sent);
        break;
      }
      done++;
    }
    if (done < queue.length) {
      if (done > 0) queue.splice(0, done);
      return;
    }
    this.#queue = undefined;
    if (this.#ending) this.#sendEnd();
    this.events.onDrain?.();
  }

  receiveResponse(status: number, head: string, body: Buffer, fin: boolean): void {
    if (this.isResponder || this.#responded) throw new ProtocolError(`unexpected response on exchange ${this.id}`);
    this.#responded = true;
    this.#spend(body.length);
    if (fin) this.#finishRemote();
    this.events.onResponse?.(status, head, body, fin);
  }

  receiveRequest(bodyLength: number, fin: boolean): void {
    this.#spend(bodyLength);
    if (fin) this.#finishRemote();
  }

  receiveData(chunk: Buffer): void {
    this.#checkBody('data');
    this.#spend(chunk.length);
    this.events.onData(chunk);
  }

  receiveEnd(): void {
    this.#checkBody('end');
    this.#finishRemote();
    this.events.onEnd();
  }

  receiveReset(code: number, reason: string): void {
    if (this.#closed) return;
    this.#close();
    this.events.onReset(code, reason);
  }

  receiveCredit(bytes: number): void {
    if (bytes === 0 || bytes > windowBytes - this.#sendCredit) {
      throw new ProtocolError(`credit of ${bytes} bytes on exchange ${this.id} exceeds what was sent`);
    }
    this.#sendCredit += bytes;
    this.pump();
  }

  /** How much of a first body goes into the frame of its head; a fresh exchange has credit for `dataBytes`. */
  #firstBytes(body: Uint8Array | undefined): number {
    if (body === undefined || body.length === 0 || this.#host.writer.congested) return 0;
    return Math.min(body.length, dataBytes);
  }

  #after(body: Uint8Array | undefined, first: number, fin: boolean, whole: boolean): void {
    if (whole) {
      this.#finishLocal();
      return;
    }
    if (body !== undefined && first < body.length) this.write(body.subarray(first));
    if (fin) this.end();
  }

  /** Sends from `offset` as far as credit and the socket allow; returns where it stopped. */
  #send(chunk: Uint8Array, offset: number): number {
    const writer = this.#host.writer;
    let at = offset;
    while (at < chunk.length) {
      const size = Math.min(chunk.length - at, dataBytes, this.#sendCredit);
      if (size === 0) return at;
      if (writer.congested) {
        this.#host.stall(this);
        return at;
      }
      this.#sendCredit -= size;
      writer.data(this.id, chunk, at, at + size);
      at += size;
    }
    return at;
  }

  #sendEnd(): void {
    this.#host.writer.end(this.id);
    this.#finishLocal();
  }

  #finishLocal(): void {
    this.#ending = true;
    this.#localDone = true;
    if (this.#remoteDone) this.#close();
  }

  #finishRemote(): void {
    this.#remoteDone = true;
    if (this.#localDone) this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#queue = undefined;
    this.#host.release(this);
  }

  #checkBody(what: string): void {
    if (this.#remoteDone || (!this.isResponder && !this.#responded)) {
      throw new ProtocolError(`unexpected ${what} on exchange ${this.id}`);
    }
  }

  #spend(bytes: number): void {
    this.#receiveCredit -= bytes;
    this.receivedBytes += bytes;
    if (this.#receiveCredit < 0) throw new ProtocolError(`body exceeds its credit on exchange ${this.id}`);
  }
}

function checkHead(head: string): void {
  if (head.length > headBytes) {
    throw new RangeError(`Cannot send head: it is ${head.length} bytes, limit is ${headBytes}`);
  }
}
