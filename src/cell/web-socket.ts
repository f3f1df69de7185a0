/** A WebSocket of a guest, seen from outside: messages between the isolate and an exchange that was answered with 101. */
import {
  CLOSE_CODES,
  type Exchange,
  MESSAGE,
  MESSAGE_HEADER_BYTES,
  type MessageKind,
  MessageReader,
  type MessageSink,
  parseClose,
  RESET_CODES,
  writeClose,
  writeMessage,
} from '../channel/index.ts';
import { ENTER, SOCKET_EVENT } from '../guest/abi.ts';
import { MAX_WEB_SOCKET_MESSAGE_BYTES } from '../limits.ts';
import type { Instance } from './instance.ts';
import type { Invocation } from './invocation.ts';
import { type ClientSocket, joinExchanges, type Joined } from './relay.ts';

const UPGRADE_HEADER = /\nupgrade\nwebsocket(?:\n|$)/i;

/** `method\nurl\n…` of a GET that asks for a WebSocket. */
export function isUpgradeHead(head: string): boolean {
  return head.startsWith('GET\n') && UPGRADE_HEADER.test(head);
}

interface SocketEvent {
  readonly kind: number;
  readonly data: string | Uint8Array;
  readonly code: number;
  /** What is held of it until it has been delivered. */
  readonly bytes: number;
}

const EVENT_BYTES = 200; // what a message takes here beside its payload: empty ones are not free
const ENDED: SocketEvent = { kind: SOCKET_EVENT.ended, data: '', code: 0, bytes: 0 };

export class WebSocketEnd implements ClientSocket, MessageSink {
  readonly id: number;
  readonly invocation: Invocation;
  readonly #instance: Instance;
  readonly #exchange: Exchange;
  readonly #reader = new MessageReader(this, MAX_WEB_SOCKET_MESSAGE_BYTES);
  /** What came before the guest asked for anything. Not looked into, since it may be for somebody else: see `join`. */
  #early: Buffer[] | undefined = [];
  #parts: Buffer[] = [];
  #partBytes = 0;
  readonly #inbox: SocketEvent[] = [];
  /** The guest has accepted it: it asks for one event after the other. */
  #accepted = false;
  #pulled = false;
  /** Bytes received, and not delivered yet. */
  #received = 0;
  /** Bytes received while the guest lags behind: granted when it has caught up. */
  #ungranted = 0;
  /** Bytes sent that the peer has not taken yet. */
  #unsent = 0;
  #joined: Joined | undefined;
  /** This end has sent its close. */
  #closing = false;
  /** The peer's close is in the inbox, or has been delivered. */
  #ended = false;

  /** `exchange`: the client's of `invocation`, or one that the guest has opened. */
  constructor(id: number, instance: Instance, context: { invocation: Invocation; exchange: Exchange }) {
    this.id = id;
    this.#instance = instance;
    this.invocation = context.invocation;
    this.#exchange = context.exchange;
    this.invocation.hasResources = true;
    instance.sockets.set(id, this);
  }

  get unsentBytes(): number {
    if (this.#unsent > 0) this.#recount();
    return this.#unsent;
  }

  /** More is waiting for its peer than may. The sockets beside it are not to suffer for that. */
  failAsSlow(): void {
    this.#fail(RESET_CODES.internal, 'Too much is waiting to be sent');
  }

  // What the guest asks for.

  /** It takes the next event: one entry for each. */
  pull(): void {
    if (this.#joined !== undefined) return;
    this.#accepted = true;
    this.#pulled = true;
    this.#readEarly();
    this.#deliver();
  }

  send(data: string | Uint8Array): void {
    if (this.#closing || this.#joined !== undefined) return;
    const isText = typeof data === 'string';
    const bytes = isText ? Buffer.from(data, 'utf8') : data;
    const size = bytes.byteLength;
    const { maxHeldBytes } = this.#instance;
    if (this.#unsent + size > maxHeldBytes / 2) this.#recount();
    if (size > MAX_WEB_SOCKET_MESSAGE_BYTES || this.#unsent + size > maxHeldBytes / 2) {
      this.failAsSlow();
      return;
    }
    if (writeMessage(this.#exchange, isText ? MESSAGE.text : MESSAGE.binary, bytes)) return;
    this.#unsent += size;
    this.#instance.heldBytes += size;
    if (this.#instance.heldBytes > maxHeldBytes) failSlowest(this.#instance);
  }

  close(code: number, reason: string): void {
    if (this.#closing || this.#joined !== undefined) return;
    this.#closing = true;
    writeClose(this.#exchange, code, reason);
  }

  /** Puts it through to a client, past the guest, which hears of the end only. */
  join(invocation: Invocation, client: Exchange): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#receive(-this.#received);
    this.#joined = joinExchanges(client, this.#exchange, () => this.#onJoinedEnd());
    invocation.socket = this.#joined.left;
    for (const chunk of early) this.#joined.right.onData(chunk);
  }

  // What becomes of its instance and its invocation.

  /** The version has been replaced: a client does better to connect again. */
  restart(): void {
    if (this.#isClients) this.#fail(RESET_CODES.restarted, 'The Worker was replaced');
  }

  terminate(resetCode: number): void {
    this.drop(resetCode);
  }

  /** Nobody is interested any more. */
  drop(resetCode: number = RESET_CODES.canceled): void {
    if (!this.#instance.sockets.has(this.id)) return;
    this.#forget();
    this.#joined?.reset(resetCode);
    this.#exchange.reset(resetCode);
  }

  // Events of the exchange.

  onData(chunk: Buffer): void {
    if (this.#joined !== undefined) return this.#joined.right.onData(chunk);
    if (this.#ended) return;
    this.#receive(chunk.length);
    if (this.#instance.heldBytes > this.#instance.maxHeldBytes) {
      this.#fail(RESET_CODES.internal, 'The messages take more memory than the Worker may have');
    } else if (this.#early === undefined) {
      this.#read(chunk);
    } else {
      this.#early.push(chunk);
    }
  }

  onPart(kind: MessageKind, part: Buffer, last: boolean): void {
    if (this.#ended) return; // behind a close, in the same chunk
    this.#parts.push(part);
    this.#partBytes += part.length;
    if (!last) return;
    const payload = this.#parts.length === 1 ? part : Buffer.concat(this.#parts, this.#partBytes);
    const bytes = this.#partBytes + MESSAGE_HEADER_BYTES + EVENT_BYTES;
    this.#parts = [];
    this.#partBytes = 0;
    this.#receive(EVENT_BYTES);
    if (kind === MESSAGE.text) {
      this.#inbox.push({ kind: SOCKET_EVENT.text, data: payload.toString('utf8'), code: 0, bytes });
    } else if (kind === MESSAGE.binary) {
      this.#inbox.push({ kind: SOCKET_EVENT.binary, data: payload, code: 0, bytes });
    } else {
      const { code, reason } = parseClose(payload);
      this.close(code, reason); // the answer to it, unless it is one itself
      this.#end({ kind: SOCKET_EVENT.close, data: reason, code, bytes });
    }
  }

  onEnd(): void {
    if (this.#joined !== undefined) return this.#joined.right.onEnd();
    this.#readEarly();
    this.#end({ kind: SOCKET_EVENT.lost, data: '', code: CLOSE_CODES.lost, bytes: 0 });
    if (!this.#accepted) this.#announceEnd();
  }

  onDrain(): void {
    if (this.#joined !== undefined) return this.#joined.right.onDrain?.();
    this.#instance.heldBytes -= this.#unsent;
    this.#unsent = 0;
  }

  onReset(code: number, reason: string): void {
    if (this.#joined !== undefined) return this.#joined.right.onReset(code, reason);
    this.#readEarly();
    this.#closing = true;
    this.#end({ kind: SOCKET_EVENT.lost, data: reason, code: lostCodeOf(code), bytes: 0 });
    if (!this.#accepted) this.#announceEnd();
  }

  get #isClients(): boolean {
    return this.#joined !== undefined || this.#exchange === this.invocation.exchange;
  }

  /** The last event. */
  #end(event: SocketEvent): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#inbox.push(event);
    this.#deliver();
  }

  /** A guest that has not accepted it asks for no events. It may yet, but not for ever. */
  #announceEnd(): void {
    if (this.#isClients) this.invocation.onAnswered();
    this.#enter(ENDED);
  }

  #deliver(): void {
    const event = this.#pulled ? this.#inbox.shift() : undefined;
    if (event === undefined) return;
    this.#pulled = false;
    this.#receive(-event.bytes);
    this.#grant();
    if (event.kind === SOCKET_EVENT.close || event.kind === SOCKET_EVENT.lost) this.#forget();
    this.#enter(event);
  }

  #enter({ kind, data, code }: SocketEvent): void {
    this.#instance.enter(this.invocation, ENTER.socket, this.id, kind, data, code);
  }

  #fail(resetCode: number, reason: string): void {
    if (this.#joined !== undefined) {
      this.#joined.reset(resetCode);
      this.#onJoinedEnd();
    } else if (!this.#ended) {
      this.#exchange.reset(resetCode, reason);
      this.onReset(resetCode, reason);
    }
  }

  /** What has gone is told only when everything has. */
  #recount(): void {
    const waiting = this.#exchange.queuedBytes;
    this.#instance.heldBytes += waiting - this.#unsent;
    this.#unsent = waiting;
  }

  #onJoinedEnd(): void {
    this.#forget();
    this.#enter(ENDED);
  }

  #forget(): void {
    this.#instance.sockets.delete(this.id);
    this.#receive(-this.#received);
    this.#instance.heldBytes -= this.#unsent;
    this.#unsent = 0;
    if (this.#isClients) this.invocation.onAnswered();
  }

  #readEarly(): void {
    const early = this.#early;
    this.#early = undefined;
    for (const chunk of early ?? []) this.#read(chunk);
  }

  #read(chunk: Buffer): void {
    this.#ungranted += chunk.length;
    try {
      this.#reader.push(chunk);
    } catch {
      this.#fail(RESET_CODES.internal, 'The messages are malformed');
    }
    this.#deliver();
    this.#grant();
  }

  /** While the guest keeps up, so that a message longer than the window can be completed. */
  #grant(): void {
    if (this.#inbox.length > 0) return;
    this.#exchange.grant(this.#ungranted);
    this.#ungranted = 0;
  }

  #receive(bytes: number): void {
    this.#received += bytes;
    this.#instance.heldBytes += bytes;
  }
}

/** What the guest sees of a reset: 1011 and 1012 as if the peer had closed with them. */
function lostCodeOf(resetCode: number): number {
  if (resetCode === RESET_CODES.restarted) return CLOSE_CODES.restart;
  return resetCode === RESET_CODES.internal ? CLOSE_CODES.internal : CLOSE_CODES.lost;
}

/** Makes room, if there is none, at the cost of the one whose peer keeps up least. */
function failSlowest(instance: Instance): void {
  let slowest: WebSocketEnd | undefined;
  let most = 0;
  for (const socket of instance.sockets.values()) {
    const waiting = socket.unsentBytes;
    if (waiting <= most) continue;
    most = waiting;
    slowest = socket;
  }
  if (instance.heldBytes > instance.maxHeldBytes) slowest?.failAsSlow();
}
