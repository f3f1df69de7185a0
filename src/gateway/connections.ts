import type { ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { type TrustedProxies, unmapped } from '../trusted-proxies.ts';
import type { Admission } from './admission.ts';
import type { ClientIn } from './client-io.ts';
import type { Client, ClientConnection, ClientRequest } from './client-request.ts';
import type { Load } from './load-limits.ts';
import type { GatewayStats } from './protocol.ts';

export const CONNECTION = Symbol('connection');

export interface Connection extends ClientConnection {
  /** The peer is a proxy that is believed about its clients. */
  readonly isTrusted: boolean;
  /** Unanswered requests that it may have. */
  readonly limit: number;
  /** Of the peer; undefined when it is a proxy, which stands for many. */
  readonly load: Load | undefined;
}

export type ClientSocket = Socket & { [CONNECTION]?: Connection; readonly encrypted?: boolean };
export type ClientSession = ServerHttp2Session & { [CONNECTION]?: Connection };

/** Clients' connections: whose they are, how many, and what has gone over them. */
export class Connections {
  readonly #proxies: TrustedProxies;
  readonly #admission: Admission;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;
  /** Of connections that have ended. */
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(proxies: TrustedProxies, admission: Admission) {
    this.#proxies = proxies;
    this.#admission = admission;
  }

  /** Counts a connection among those of its address; not one of a proxy, which stands for many. False: too many. */
  count(socket: Socket): boolean {
    const ip = unmapped(socket.remoteAddress ?? '');
    if (this.#proxies.has(ip)) return true;
    const load = this.#admission.ofAddress(ip);
    if (!this.#admission.takeConnection(load)) return false;
    socket.on('close', () => void load.connections--);
    return true;
  }

  /** `limit`: unanswered requests that it may have. */
  open(socket: Socket, scheme: Client['scheme'], limit: number): Connection {
    const ip = unmapped(socket.remoteAddress ?? '');
    const isTrusted = this.#proxies.has(ip);
    const load = isTrusted ? undefined : this.#admission.ofAddress(ip);
    const connection: Connection = { ip, scheme, isTrusted, limit, load, first: undefined, open: 0, isClosing: false };
    this.#accepted++;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#bytesIn += socket.bytesRead;
      this.#bytesOut += socket.bytesWritten;
      abortAll(connection);
    });
    return connection;
  }

  /** For whom the connection's peer asks. */
  clientOf(connection: Connection, { headers }: ClientIn): Client {
    if (!connection.isTrusted) return connection;
    const { ip, scheme } = connection;
    return { ip: this.#proxies.clientOf(ip, headers), scheme: this.#proxies.schemeOf(headers) ?? scheme };
  }

  counts(): Pick<GatewayStats, 'connections' | 'accepted' | 'bytesIn' | 'bytesOut'> {
    let [bytesIn, bytesOut] = [this.#bytesIn, this.#bytesOut];
    for (const { bytesRead, bytesWritten } of this.#sockets) {
      bytesIn += bytesRead;
      bytesOut += bytesWritten;
    }
    return { connections: this.#sockets.size, accepted: this.#accepted, bytesIn, bytesOut };
  }
}

export function addTo(connection: ClientConnection, request: ClientRequest): void {
  request.next = connection.first;
  connection.first = request;
  connection.open++;
}

export function removeFrom(connection: ClientConnection, request: ClientRequest): void {
  connection.open--;
  if (connection.first === request) {
    connection.first = request.next;
    request.next = undefined;
    return;
  }
  let previous = connection.first;
  while (previous !== undefined && previous.next !== request) previous = previous.next;
  if (previous !== undefined) previous.next = request.next;
  request.next = undefined;
}

/** Its peer has gone. */
export function abortAll(connection: ClientConnection): void {
  while (connection.first !== undefined) connection.first.abort();
}
