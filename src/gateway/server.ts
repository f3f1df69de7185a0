import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AccountId } from '../ids.ts';
import { MAX_HTTP2_STREAMS, MAX_LOOP_HOPS, MAX_REQUEST_HEADER_BYTES, MAX_URL_BYTES } from '../limits.ts';
import { countHops, LOOP_HEADER } from '../loop-header.ts';
import { isHandshake, toPlainResponse, type WebSocketSession } from '../web-socket/index.ts';
import type { AssetFront } from './asset-front.ts';
import type { Cell, CellSet } from './cells.ts';
import type { ClientIn, ClientOut, PendingUpgrade } from './client-io.ts';
import {
  type Client,
  type ClientConnection,
  ClientRequest,
  type RequestEnd,
  type RequestHost,
} from './client-request.ts';
import { Http2Front, type StreamExchange } from './http2.ts';
import type { DrainParams, GatewayStats, StartParams, StartResult, TlsPair } from './protocol.ts';
import type { PageLog, PageRecord } from './page-log.ts';
import type { Previews } from './previews.ts';
import type { RaySource } from './ray.ts';
import type { PreviewCandidates, RouteTable, WorkerRoute } from './routes.ts';
import { TlsFront } from './tls-front.ts';
import { type TrustedProxies, unmapped } from './trusted-proxies.ts';
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

interface Connection extends ClientConnection {
  /** The peer is a proxy that is believed about its clients. */
  readonly isTrusted: boolean;
  /** Unanswered requests that it may have. */
  readonly limit: number;
}

type ClientSocket = Socket & { [CONNECTION]?: Connection; readonly encrypted?: boolean };
type ClientSession = ServerHttp2Session & { [CONNECTION]?: Connection };

export interface FrontOptions {
  readonly routes: RouteTable;
  readonly previews: Previews;
  readonly proxies: TrustedProxies;
  readonly cells: CellSet;
  readonly rays: RaySource;
  /** Of answers in the gateway's own name. */
  readonly pages: PageLog;
  readonly assets: AssetFront;
  /** A request has met a bug of ours. Its connection is destroyed, all others go on. */
  readonly onFault: (error: unknown) => void;
}

/** The HTTP side of the gateway: accepts, resolves, places, and counts. */
export class HttpFront implements RequestHost {
  readonly #server: Server;
  readonly #http2 = new Http2Front({
    onSession: (session, socket) => this.#onSession(session, socket),
    onStream: (session, stream) => this.#onStream(session, stream),
  });
  #tls: TlsFront | undefined;
  /** The port that clients of the plain one are sent to. */
  #redirectTo: number | undefined;
  readonly #routes: RouteTable;
  readonly #previews: Previews;
  readonly #proxies: TrustedProxies;
  readonly #cells: CellSet;
  readonly #rays: RaySource;
  readonly #pages: PageLog;
  readonly #assets: AssetFront;
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

  constructor({ routes, previews, proxies, cells, rays, pages, assets, onFault }: FrontOptions) {
    this.#routes = routes;
    this.#previews = previews;
    this.#proxies = proxies;
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
    this.#server.on('request', (req, res) => this.#onRequest(req, res, (req.socket as ClientSocket)[CONNECTION]));
    this.#onFault = onFault;
    this.#pages = pages;
    this.#assets = assets;
    this.#server.on('upgrade', (req, socket, head) => this.#onUpgrade(req, socket, head));
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves with the ports. */
  async listen({ host, port, reusePort = false, tls, redirectTo }: StartParams): Promise<StartResult> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const bound = { port: (this.#server.address() as AddressInfo).port };
    if (tls === undefined) return bound;
    this.#tls = new TlsFront({
      pairs: tls.pairs,
      maxConnections: MAX_CONNECTIONS,
      onHttp1: (socket) => this.#server.emit('connection', socket),
      onHttp2: (socket) => this.#http2.accept(socket),
    });
    const tlsPort = await this.#tls.listen({ host, port: tls.port, reusePort });
    this.#redirectTo = redirectTo === 0 ? tlsPort : redirectTo;
    return { ...bound, tlsPort };
  }

  useCertificates(pairs: readonly TlsPair[]): void {
    this.#tls?.use(pairs);
  }

  /** A cell has become live: those who waited for one go on. */
  onCellReady(): void {
    if (this.#room.size > 0 && this.#cells.live.length > 0) this.#room.open();
  }

  /**
   * Stops accepting and lets what is in flight finish; every response closes its connection. WebSockets are asked to
   * close at once. Resolves when the last connection has gone; after `timeoutMs` those that remain are cut.
   */
  async drain({ timeoutMs }: DrainParams): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions.keys()) session.close(GOING_AWAY);
    this.#http2.drain();
    const timer = setTimeout(() => {
      for (const session of this.#sessions.keys()) session.terminate();
      this.#http2.terminate();
      this.#server.closeAllConnections();
    }, timeoutMs);
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await Promise.all([closed, this.#tls?.close()]);
    clearTimeout(timer);
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
      rules: this.#routes.rules,
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
    removeFrom(request.connection, request);
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
    socket[CONNECTION] = this.#open(socket, socket.encrypted === true ? 'https' : 'http', MAX_PIPELINED);
  }

  #onSession(session: ClientSession, socket: Socket): void {
    session[CONNECTION] = this.#open(socket, 'https', MAX_HTTP2_STREAMS);
  }

  #open(socket: Socket, scheme: Client['scheme'], limit: number): Connection {
    const ip = unmapped(socket.remoteAddress ?? '');
    const isTrusted = this.#proxies.has(ip);
    const connection: Connection = { ip, scheme, isTrusted, limit, first: undefined, open: 0 };
    this.#connections++;
    socket.on('close', () => {
      this.#connections--;
      while (connection.first !== undefined) connection.first.abort();
    });
    return connection;
  }

  #onStream(session: ClientSession, { req, res, onClose }: StreamExchange): void {
    const request = this.#onRequest(req, res, session[CONNECTION]);
    if (request !== undefined) onClose(() => request.abort());
  }

  #onRequest(
    req: ClientIn,
    res: ClientOut,
    connection: Connection | undefined,
    upgrade?: PendingUpgrade,
  ): ClientRequest | undefined {
    if (connection === undefined || connection.open >= connection.limit) {
      req.socket.destroy();
      return undefined;
    }
    this.#requests++;
    this.#active++;
    const client = connection.isTrusted ? this.#behindProxy(connection, req) : connection;
    const request = new ClientRequest(this, { req, res, ray: this.#rays.next(), client, connection });
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
    return request;
  }

  #behindProxy({ ip, scheme }: Connection, { headers }: ClientIn): Client {
    return { ip: this.#proxies.clientOf(ip, headers), scheme: this.#proxies.schemeOf(headers) ?? scheme };
  }

  #onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const connection = (req.socket as ClientSocket)[CONNECTION];
    // Behind requests that have no answer yet there is no telling whose bytes follow.
    if (connection === undefined || connection.open > 0) {
      socket.destroy();
      return;
    }
    const res = toPlainResponse(req, socket);
    this.#onRequest(req, res, connection, { req, res, socket, head });
  }

  #route(request: ClientRequest, req: ClientIn): void {
    const { scheme } = request.client;
    const host = req.headers.host ?? '';
    const path = toPath(req.url ?? '', `${scheme}://${host}`);
    if (path === undefined) return request.fail('badRequest');
    if (path.length > MAX_URL_BYTES) return request.fail('urlTooLong');
    if (host === '') return request.fail('badHost');
    if (request.upgrade !== undefined && !isHandshake(request.upgrade.req)) return request.fail('badHandshake');
    if (countHops(req.headers[LOOP_HEADER] as string | undefined) > MAX_LOOP_HOPS) return request.fail('loopDetected');
    const route = this.#routes.resolve(host, path, scheme);
    if (this.#redirectTo !== undefined && scheme === 'http' && route !== 'unknown-host') {
      return request.redirect(toHttps(host, path, this.#redirectTo));
    }
    if (typeof route === 'object' && 'otherwise' in route) void this.#routePreview(request, route, host, path);
    else this.#begin(request, route, host, path);
  }

  async #routePreview(request: ClientRequest, found: PreviewCandidates, host: string, path: string): Promise<void> {
    let route: WorkerRoute | undefined;
    try {
      route = await this.#previews.find(found.previews);
    } catch {
      // Too many at once, or the supervisor is on its way out.
      request.giveUp();
      return;
    }
    this.#begin(request, route ?? found.otherwise, host, path);
  }

  #begin(
    request: ClientRequest,
    route: WorkerRoute | 'unknown-host' | 'unknown-worker',
    host: string,
    path: string,
  ): void {
    if (route === 'unknown-host') request.fail('unknownHost');
    else if (route === 'unknown-worker') request.fail('unknownWorker');
    else if (this.#suspended.has(route.account)) request.fail('accountSuspended');
    else if (route.assets === undefined) request.start(route, host, path);
    else this.#assets.serve(request, route, { host, path });
  }
}

/** The path and query of a request target, or undefined when it is none that we serve (RFC 9112 §3.2). */
function toPath(target: string, origin: string): string | undefined {
  if (target.startsWith('/')) return target;
  // Absolute form: taken when it agrees with the Host header, or one of the two is up to something.
  if (target.slice(0, origin.length).toLowerCase() !== origin.toLowerCase()) return undefined;
  const rest = target.slice(origin.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}

function toHttps(host: string, path: string, port: number): string {
  return `https://${host.replace(/:\d*$/, '')}${port === 443 ? '' : `:${port}`}${path}`;
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
