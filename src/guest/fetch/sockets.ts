/** What the core needs of WebSockets, whose code is a part (parts/web-socket.ts): it is loaded when first named or met. */
import type { Invocation } from '../runtime/invocations.ts';
import { loadPart } from '../runtime/parts.ts';

export interface WebSockets {
  isWebSocket(value: unknown): boolean;
  /**
   * Answers the invocation's request with 101 and `head`, and puts its client in the place of the socket's holder. Throws
   * a TypeError when that end is not to be had any more.
   */
  give(webSocket: object, invocation: Invocation, head: string): void;
  /** The other end of a fetch that was answered with 101; `id` is that of the call. */
  adopt(id: number, invocation: Invocation, protocol: string): object;
  /** The socket of an event. */
  find(id: number): SocketLink | undefined;
}

export interface SocketLink {
  readonly invocation: Invocation;
  deliver(kind: number, data: string | ArrayBuffer, code: number): void;
}

let loaded: WebSockets | undefined;

/** The part puts itself here. */
export function setWebSockets(sockets: WebSockets): void {
  loaded = sockets;
}

export function webSockets(): WebSockets {
  if (loaded === undefined) loadPart('web-socket');
  return loaded!;
}

/** Before the part has been loaded there are none. */
export function isWebSocket(value: unknown): value is object {
  return loaded !== undefined && loaded.isWebSocket(value);
}

export function findSocket(id: number): SocketLink | undefined {
  return loaded?.find(id);
}
