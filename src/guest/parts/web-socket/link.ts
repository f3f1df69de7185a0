/** The tie between one end of a WebSocket and the host, which has the connection. */
import { HOST, HOST_SYNC, SOCKET_EVENT } from '../../abi.ts';
import {
  beginPart,
  endPart,
  hold,
  hostSync,
  type Invocation,
  nextId,
  release,
  type Resource,
  SafeMap,
  send,
  type SocketLink,
  typedArrayBuffer,
} from '../../core.ts';
import { CLOSED, OPEN, type SocketEnd } from './socket-end.ts';

const links = new SafeMap<number, Link>();

export function findLink(id: number): SocketLink | undefined {
  return links.get(id);
}

export class Link implements SocketLink, Resource {
  readonly id: number;
  readonly invocation: Invocation;
  /** The subprotocol of the handshake, of one that was fetched. */
  readonly protocol: string;
  #end: SocketEnd;
  /** A client's: the invocation lasts as long as it does. */
  #isPart = false;

  constructor(id: number, end: SocketEnd, context: { invocation: Invocation; protocol: string }) {
    this.id = id;
    this.invocation = context.invocation;
    this.protocol = context.protocol;
    this.#end = end;
    links.set(id, this);
    hold(this.invocation, this);
  }

  tieTo(end: SocketEnd): void {
    this.#end = end;
  }

  becomePart(): void {
    this.#isPart = true;
    beginPart(this.invocation);
  }

  pull(): void {
    send(HOST.socketPull, this.id);
  }

  send(data: string | ArrayBuffer): void {
    send(HOST.socketSend, this.id, data);
  }

  close(code: number, reason: string): void {
    send(HOST.socketClose, this.id, code, reason);
  }

  unsentBytes(): number {
    const answer = hostSync(HOST_SYNC.socketUnsent, this.id);
    return typeof answer === 'number' ? answer : 0;
  }

  deliver(kind: number, data: string | ArrayBuffer, code: number): void {
    const end = this.#end;
    if (kind === SOCKET_EVENT.text || kind === SOCKET_EVENT.binary) {
      end.receive(data);
      if (links.has(this.id)) this.pull();
      return;
    }
    // Accepted as that was on its way: it has asked for its events, and the last of them is the close.
    if (kind === SOCKET_EVENT.ended && end.accepted && !end.given) return;
    // One that was never accepted may be yet: then its messages and its close follow.
    if (kind !== SOCKET_EVENT.ended || end.given) this.#forget();
    if (kind === SOCKET_EVENT.close) end.receiveClose(code, data as string);
    else if (kind === SOCKET_EVENT.lost) end.fail((data as string) || 'The connection was lost', code);
    this.#endPart();
  }

  /** The invocation is over, and nothing of it runs any more. */
  drop(): void {
    links.delete(this.id);
    this.#end.state = CLOSED;
    this.#end.link = undefined;
  }

  #forget(): void {
    links.delete(this.id);
    release(this.invocation, this);
  }

  #endPart(): void {
    if (!this.#isPart) return;
    this.#isPart = false;
    endPart(this.invocation);
  }
}

/** Answers with 101: a client takes the place of whoever holds `end`. Throws a TypeError when it cannot. */
export function giveEnd(end: SocketEnd, invocation: Invocation, head: string): void {
  const refuse = (why: string): never => {
    throw new TypeError(`Cannot return a response with this WebSocket: ${why}`);
  };
  if (end.isStandard) refuse('it was made by new WebSocket()');
  if (end.given) refuse('it has been used in a response before');
  if (end.accepted) refuse('accept() has been called on it');
  const { link, peer } = end;
  if (link !== undefined) {
    if (link.invocation !== invocation) refuse('it belongs to another request');
    end.given = true;
    link.becomePart();
    send(HOST.upgrade, invocation.id, head, link.id);
    return;
  }
  if (peer === undefined || peer.given || end.state !== OPEN) return refuse('its connection is over');
  end.given = true;
  end.peer = undefined;
  peer.peer = undefined;
  const tie = new Link(nextId(), peer, { invocation, protocol: '' });
  tie.becomePart();
  peer.link = tie;
  send(HOST.upgrade, invocation.id, head, tie.id);
  const { inbox } = end;
  end.inbox = [];
  for (let i = 0; i < inbox.length; i++) {
    const item = inbox[i]!;
    if (item.kind === 'close') tie.close(item.code, item.reason);
    else tie.send(typeof item.data === 'string' ? item.data : typedArrayBuffer(item.data));
  }
  if (peer.accepted) tie.pull();
}
