import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AccountId } from '../ids.ts';
import { MAX_REQUEST_HEADER_BYTES, MAX_URL_BYTES } from '../limits.ts';
import { isHandshake, toPlainResponse, type Upgrade, type WebSocketSession } from '../web-socket/index.ts';
import type { Cell, CellSet } from './cells.ts';
import { ClientRequest, type RequestEnd, type RequestHost } from './client-request.ts';
import type { DrainParams, GatewayStats, StartParams } from './protocol.ts';
import type { PageLog, PageRecord } from './page-log.ts';
import type { RaySource } from './ray.ts';
import type { RouteTable } from './routes.ts';
import { WaitingRoom } from './waiting-room.ts';

const KEEP_ALIVE_MS = 75_000; // longer than the 60 s of common load balancers, so that they close first
const HEADERS_MS = 20_000; // from the first byte of a request to the end of its head, against slow senders
const REQUEST_MS = 300_000; // to the end of its body: 100 MB at 350 KB/s
const CHECK_INTERVAL_MS = 5_000;
const MAX_CONNECTIONS = 100_000;
const MAX_PIPELINED = 32; // unanswered requests of one connection: each may hold a window of body in memory
const MAX_CELL_WEB_SOCKETS = 24_576; // of one cell: three quarters of its exchanges, the rest is for requests
const GOING_AWAY = 1001; // RFC 6455 §7.4.1
const POLICY_VIOLATION = 1008; // as above
const CONNECTION = Symbol('connection');

interface ClientConnection {
  readonly ip: string;
  /** Requests without an answer, latest first. */
  first: ClientRequest | undefined;
  open: number;
}

type ClientSocket = Socket & { [CONNECTION]?: ClientConnection };

export interface FrontOptions {
  readonly routes: RouteTable;
  readonly cells: CellSet;
  readonly rays: RaySource;
  /** Of answers in the gateway's own name. */
  readonly pages: PageLog;
  /** A request has met a bug of ours. Its connection is destroyed, all others go on. */
  readonly onFault: (error: unknown) => void;
}

/** The HTTP side of the gateway: accepts, resolves, places, and counts. */
export class HttpFront implements RequestHost {
  readonly #server: Server;
  readonly #routes: RouteTable;
  readonly #cells: CellSet;
  readonly #rays: RaySource;
  readonly #pages: PageLog;
  readonly #onFault: (error: unknown) => void;
  readonly #room = new WaitingRoom<ClientRequest>();
  readonly #sessions = new Map<WebSocketSession, AccountId>();
  readonly #suspended = new Set<AccountId>();
  readonly #statuses = [0, 0, 0, 0, 0, 0];
  #requests = 0;
  #active = 0;
  #connections = 0;
  #badGateway = 0;
  #unavailable = 0;
  #clientAborts = 0;
  #brokenOff = 0;
  #draining = false;

  constructor({ routes, cells, rays, pages, onFault }: FrontOptions) {
    this.#routes = routes;
    this.#cells = cells;
    this.#rays = rays;
    this.#server = createServer({
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: MAX_REQUEST_HEADER_BYTES,
      // Spares the stream machinery for requests without a body: a fifth of the time of a hello.
      optimizeEmptyRequests: true,
      // Anything else that asks for an upgrade (curl asks for h2c) is content with an ordinary answer.
      shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', (socket: ClientSocket) => this.#onConnection(socket));
    this.#server.on('request', (req, res) => this.#onRequest(req, res));
    this.#onFault = onFault;
    this.#pages = pages;
    this.#server.on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket, head));
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves with the port. */
  listen({ host, port, reusePort = false }: StartParams): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** A cell has become live: those who waited for one go on. */
  onCellReady(): void {
    if (this.#room.size > 0 && this.#cells.live.length > 0) this.#room.open();
  }

  /**
   * Stops accepting and lets what is in flight finish; every response closes its connection. WebSockets are asked to
   * close at once. Resolves when the last connection has gone; after `timeoutMs` those that remain are cut.
   */
  drain({ timeoutMs }: DrainParams): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions.keys()) session.close(GOING_AWAY);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const session of this.#sessions.keys()) session.terminate();
        this.#server.closeAllConnections();
      }, timeoutMs);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Its requests get a 403 from here on, and its WebSockets end. Requests under way are the cells' to end. */
  suspend(account: AccountId): void {
    this.#suspended.add(account);
    for (const [session, owner] of this.#sessions) if (owner === account) session.cut(POLICY_VIOLATION);
  }

  resume(account: AccountId): void {
    this.#suspended.delete(account);
  }

  stats(): GatewayStats {
    return {
      requests: this.#requests,
      statuses: [...this.#statuses],
      badGateway: this.#badGateway,
      unavailable: this.#unavailable,
      clientAborts: this.#clientAborts,
      brokenOff: this.#brokenOff,
      active: this.#active,
      webSockets: this.#sessions.size,
      held: this.#room.size,
      connections: this.#connections,
      routes: this.#routes.size,
      cells: this.#cells.stats(),
    };
  }

  place(request: ClientRequest): void {
    const { route } = request;
    if (route === undefined) return;
    // Once more: it may have been held for a while.
    if (this.#suspended.has(route.account)) return request.fail('accountSuspended');
    const cell = this.#cells.pick(route.hash);
    if (cell !== undefined && request.upgrade !== undefined && this.#isFull(cell)) request.giveUp();
    else if (cell !== undefined) request.forward(cell, route);
    else if (this.#cells.live.length > 0 || !this.#room.hold(request)) request.giveUp();
  }

  notePage(record: PageRecord): void {
    this.#pages.add(record);
  }

  finished(request: ClientRequest, end: RequestEnd): void {
    this.#active--;
    if (this.#room.size > 0) this.#room.leave(request);
    const connection = (request.req.socket as ClientSocket)[CONNECTION];
    if (connection !== undefined) removeFrom(connection, request);
    if (end === 'client-gone') {
      this.#clientAborts++;
      return;
    }
    if (end === 'bad-gateway') this.#badGateway++;
    else if (end === 'unavailable') this.#unavailable++;
    else if (end === 'broken-off') this.#brokenOff++;
    else if (end === 'upgraded') {
      this.#statuses[1] = (this.#statuses[1] ?? 0) + 1;
      return;
    }
    const group = (request.res.statusCode / 100) | 0;
    this.#statuses[group] = (this.#statuses[group] ?? 0) + 1;
  }

  upgraded(session: WebSocketSession, cell: Cell, account: AccountId): void {
    cell.webSockets++;
    this.#sessions.set(session, account);
    if (this.#draining) session.close(GOING_AWAY);
    else if (this.#suspended.has(account)) session.cut(POLICY_VIOLATION);
  }

  closed(session: WebSocketSession, cell: Cell): void {
    cell.webSockets--;
    this.#sessions.delete(session);
  }

  #isFull(cell: Cell): boolean {
    return this.#draining || cell.webSockets >= MAX_CELL_WEB_SOCKETS;
  }

  #onConnection(socket: ClientSocket): void {
    const address = socket.remoteAddress ?? '';
    // A dual-stack socket shows IPv4 clients as ::ffff:1.2.3.4.
    const ip = address.startsWith('::ffff:') ? address.slice(7) : address;
    const connection: ClientConnection = { ip, first: undefined, open: 0 };
    socket[CONNECTION] = connection;
    this.#connections++;
    socket.on('close', () => {
      this.#connections--;
      while (connection.first !== undefined) connection.first.abort();
    });
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, upgrade?: Upgrade): void {
    const connection = (req.socket as ClientSocket)[CONNECTION];
    if (connection === undefined || connection.open >= MAX_PIPELINED) {
      req.socket.destroy();
      return;
    }
    this.#requests++;
    this.#active++;
    const request = new ClientRequest(this, req, res, this.#rays.next(), connection.ip);
    if (upgrade !== undefined) request.upgrade = upgrade;
    request.next = connection.first;
    connection.first = request;
    connection.open++;
    try {
      this.#route(request, req);
    } catch (error) {
      this.#onFault(error);
      req.socket.destroy();
    }
  }

  #onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // Behind requests that have no answer yet there is no telling whose bytes follow.
    if (((req.socket as ClientSocket)[CONNECTION]?.open ?? 0) > 0) socket.destroy();
    else this.#onRequest(req, toPlainResponse(req, socket), { socket, head });
  }

  #route(request: ClientRequest, req: IncomingMessage): void {
    const host = req.headers.host ?? '';
    const path = toPath(req.url ?? '', host);
    if (path === undefined) return request.fail('badRequest');
    if (path.length > MAX_URL_BYTES) return request.fail('urlTooLong');
    if (host === '') return request.fail('badHost');
    if (request.upgrade !== undefined && !isHandshake(req)) return request.fail('badHandshake');
    const route = this.#routes.resolve(host);
    if (route === 'unknown-host') return request.fail('unknownHost');
    if (route === 'unknown-worker') return request.fail('unknownWorker');
    if (this.#suspended.has(route.account)) return request.fail('accountSuspended');
    request.start(route, host, path);
  }
}

/** The path and query of a request target, or undefined when it is none that we serve (RFC 9112 §3.2). */
function toPath(target: string, host: string): string | undefined {
  if (target.startsWith('/')) return target;
  // Absolute form: taken when it agrees with the Host header, or one of the two is up to something.
  const prefix = `http://${host}`;
  if (target.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return undefined;
  const rest = target.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}

function removeFrom(connection: ClientConnection, request: ClientRequest): void {
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
