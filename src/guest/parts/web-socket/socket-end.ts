/** One end of a WebSocket: its state by the standard, and where what it sends goes. */
import {
  type Bytes,
  bytesSlice,
  CloseEvent,
  createBlob,
  dispatchTrusted,
  entryNumber,
  ErrorEvent,
  Event,
  exactBuffer,
  type EventTarget,
  MessageEvent,
  promiseResolve,
  promiseThen,
  typedArrayByteLength,
  typedArrayBuffer,
  utf8Encode,
} from '../../core.ts';
import type { Link } from './link.ts';

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

export type BinaryType = 'arraybuffer' | 'blob';

/** What one end of a pair has for the other. */
export type Item =
  | { readonly kind: 'message'; readonly data: string | Bytes }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

const NO_CODE = 1005; // RFC 6455 §7.4.1: a close frame without one
const LOST = 1006; // RFC 6455 §7.4.1: no close frame at all

export class SocketEnd {
  /** Made by `new WebSocket`: behaves as the standard says, where Workers' own differ. */
  readonly isStandard: boolean;
  /** Whose events they are. */
  target: EventTarget | undefined = undefined;
  state: number;
  url: string | null = null;
  origin = '';
  protocol = '';
  binaryType: BinaryType;
  accepted: boolean;
  /** It has been returned in a response: a client has taken its place. */
  given = false;
  /** The connection, when the other end is not in this isolate. */
  link: Link | undefined = undefined;
  /** The other end, when it is. */
  peer: SocketEnd | undefined = undefined;
  /** Gives up the handshake under way. */
  cancel: (() => void) | undefined = undefined;
  /** What the peer has sent and this end has not taken. */
  inbox: Item[] = [];
  #draining = false;
  /** Bytes sent in the running entry, which the host counts only afterwards; and after the close, which count for ever. */
  #sentNow = 0;
  #sentIn = 0;
  #sentInVain = 0;

  constructor(isStandard: boolean) {
    this.isStandard = isStandard;
    this.state = isStandard ? CONNECTING : OPEN;
    this.binaryType = isStandard ? 'blob' : 'arraybuffer';
    this.accepted = isStandard;
  }

  static pair(): [SocketEnd, SocketEnd] {
    const first = new SocketEnd(false);
    const second = new SocketEnd(false);
    first.peer = second;
    second.peer = first;
    return [first, second];
  }

  get bufferedAmount(): number {
    const now = this.#sentIn === entryNumber() ? this.#sentNow : 0;
    const waiting = this.link === undefined ? 0 : this.link.unsentBytes();
    return (now > waiting ? now : waiting) + this.#sentInVain;
  }

  accept(): void {
    if (this.isStandard) throw new TypeError("Failed to execute 'accept' on 'WebSocket': it is open already");
    if (this.given) throw new TypeError("Failed to execute 'accept' on 'WebSocket': it has been used in a response");
    if (this.accepted) return;
    this.accepted = true;
    if (this.link === undefined) this.#schedule();
    else this.link.pull();
  }

  /** Bytes are taken as they are now: who sends them may change them afterwards. */
  send(data: string | Bytes): void {
    if (!this.isStandard) this.#requireUsable('send');
    if (this.state !== OPEN) {
      this.#sentInVain += sizeOf(data);
      return;
    }
    if (this.isStandard) {
      if (this.#sentIn !== entryNumber()) this.#sentNow = 0;
      this.#sentIn = entryNumber();
      this.#sentNow += sizeOf(data);
    }
    if (this.link === undefined)
      this.peer?.put({ kind: 'message', data: typeof data === 'string' ? data : bytesSlice(data) });
    else this.link.send(typeof data === 'string' ? data : exactBuffer(data, sizeOf(data)));
  }

  close(code: number | undefined, reason: string): void {
    if (!this.isStandard && this.state === OPEN) this.#requireUsable('close');
    if (this.state === CONNECTING) {
      this.state = CLOSING;
      this.cancel?.();
      this.cancel = undefined;
      void promiseThen(promiseResolve(undefined), () => this.fail('The WebSocket was closed before it was open'));
    }
    if (this.state !== OPEN) return;
    this.state = CLOSING;
    this.#sendClose(code ?? NO_CODE, reason);
  }

  /** The handshake has succeeded. */
  open(link: Link, protocol: string): void {
    this.cancel = undefined;
    this.link = link;
    this.protocol = protocol;
    this.state = OPEN;
    this.#dispatch(new Event('open'));
    link.pull();
  }

  /** The connection failed, or ended without a close. */
  fail(message: string, code: number = LOST): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.link = undefined;
    if (this.isStandard) this.#dispatch(new ErrorEvent('error', { message, error: new Error(message) }));
    this.#dispatch(new CloseEvent('close', { wasClean: false, code, reason: this.isStandard ? '' : message }));
  }

  receive(data: string | ArrayBuffer): void {
    // Between its close and the other's, an end is deaf already.
    if (this.state !== OPEN) return;
    const isBlob = typeof data !== 'string' && this.binaryType === 'blob';
    this.#dispatch(
      new MessageEvent('message', { data: isBlob ? createBlob(new Uint8Array(data), '') : data, origin: this.origin }),
    );
  }

  /** The other end has closed. What is to be said to that has been said. */
  receiveClose(code: number, reason: string): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.link = undefined;
    this.#dispatch(new CloseEvent('close', { wasClean: true, code, reason }));
  }

  /** From the peer in this isolate. */
  put(item: Item): void {
    this.inbox[this.inbox.length] = item;
    this.#schedule();
  }

  #sendClose(code: number, reason: string): void {
    if (this.link === undefined) this.peer?.put({ kind: 'close', code, reason });
    else this.link.close(code, reason);
  }

  /** Not within the call that caused it: neither end is to find the other in the middle of something. */
  #schedule(): void {
    if (this.#draining || !this.accepted || this.inbox.length === 0) return;
    this.#draining = true;
    void promiseThen(promiseResolve(undefined), () => {
      this.#draining = false;
      const items = this.inbox;
      this.inbox = [];
      for (let i = 0; i < items.length; i++) this.#take(items[i]!);
    });
  }

  #take(item: Item): void {
    if (item.kind === 'message') {
      this.receive(typeof item.data === 'string' ? item.data : typedArrayBuffer(item.data));
      return;
    }
    if (this.state === OPEN) this.#sendClose(item.code, item.reason);
    this.receiveClose(item.code, item.reason);
  }

  #requireUsable(what: string): void {
    const where = `Failed to execute '${what}' on 'WebSocket'`;
    if (this.given) throw new TypeError(`${where}: it has been used in a response`);
    if (!this.accepted) throw new TypeError(`${where}: call accept() first`);
    if (this.state !== OPEN) throw new TypeError(`${where}: it is closed`);
  }

  #dispatch(event: Event): void {
    dispatchTrusted(this.target!, event);
  }
}

function sizeOf(data: string | Bytes): number {
  return typeof data === 'string' ? utf8Encode(data).byteLength : typedArrayByteLength(data);
}
