import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AccountId } from '../ids.ts';
import { MAX_HTTP2_STREAMS, MAX_LOOP_HOPS, MAX_URL_BYTES } from '../limits.ts';
import { countHops, LOOP_HEADER } from '../loop-header.ts';
import { isHandshake, toPlainResponse, type WebSocketSession } from '../web-socket/index.ts';
import { Admission } from './admission.ts';
import type { AssetFront } from './asset-front.ts';
import type { Cell, CellSet } from './cells.ts';
import type { ClientIn, ClientOut, PendingUpgrade } from './client-io.ts';
import { ClientRequest, type RequestEnd, type RequestHost } from './client-request.ts';
import {
  abortAll,
  addTo,
  type ClientSession,
  type ClientSocket,
  CONNECTION,
  type Connection,
  Connections,
  removeFrom,
} from './connections.ts';
import { createHttp1Server } from './http1.ts';
import { Http2Front, type StreamExchange } from './http2.ts';
import { sayAndClose, statusOf } from './client-error.ts';
import { LostRequests } from './lost-requests.ts';
import { findFault, isHost, isRefusedMethod } from './faults.ts';
import type { LoadLimitNumbers } from './load-limits.ts';
import type {
  CellLost,
  CordonTable,
  DrainParams,
  GatewayStats,
  Patience,
  StartParams,
  StartResult,
  TlsPair,
} from './protocol.ts';
import type { PageLog, PageRecord } from './page-log.ts';
import type { PageName } from './pages.ts';
import type { Previews } from './previews.ts';
import type { RaySource } from './ray.ts';
import type { PreviewCandidates, RouteTable, WorkerRoute } from './routes.ts';
import { Tally } from './tally.ts';
import { toHttps, toPath } from './target.ts';
import { TlsFront } from './tls-front.ts';
import type { Tracing } from './tracing.ts';
import type { TrustedProxies } from '../trusted-proxies.ts';
import { UploadWatch } from './upload-watch.ts';
import { WaitingRooms } from './waiting-rooms.ts';

const PATIENCE: Patience = {
  headersMs: 20_000, // against slow senders
  requestMs: 300_000, // 100 MB at 350 KB/s
  checkMs: 5_000,
  uploadWindowMs: 20_000,
};
const NO_LIMITS: LoadLimitNumbers = { addressConnections: 0, addressRequests: 0, accountRequests: 0 };
const RETRY_AFTER = 'retry-after: 1\r\n';
const MAX_CONNECTIONS = 100_000;
const MAX_PIPELINED = 32; // unanswered requests of one connection: each may hold a window of body in memory
const MAX_CELL_WEB_SOCKETS = 24_576; // of one cell: three quarters of its exchanges, the rest is for requests
const GOING_AWAY = 1001; // RFC 6455 §7.4.1
const POLICY_VIOLATION = 1008; // as above

export interface FrontOptions {
  readonly routes: RouteTable;
  readonly previews: Previews;
  readonly proxies: TrustedProxies;
  readonly cells: CellSet;
  readonly rays: RaySource;
  /** Of answers in the gateway's own name. */
  readonly pages: PageLog;
  readonly assets: AssetFront;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** A request has met a bug of ours. Its connection is destroyed, all others go on. */
  readonly onFault: (error: unknown) => void;
  /** Requests wait for a cell of this cordon. */
  readonly onWanted: (cordon: string) => void;
  readonly loadLimits?: LoadLimitNumbers;
  readonly patience?: Partial<Patience>;
}

interface Came {
  readonly upgrade?: PendingUpgrade;
  /** What is wrong with it. */
  readonly fault?: PageName | undefined;
}

/** The HTTP side of the gateway: accepts, resolves, places, and counts. */
export class HttpFront implements RequestHost {
  readonly #server: Server;
  readonly #http2: Http2Front;
  #tls: TlsFront | undefined;
  /** The port that clients of the plain one are sent to. */
  #redirectTo: number | undefined;
  readonly #routes: RouteTable;
  readonly #previews: Previews;
  readonly #cells: CellSet;
  readonly #rays: RaySource;
  readonly #pages: PageLog;
  readonly #assets: AssetFront;
  readonly #tracing: Tracing | undefined;
  readonly #onFault: (error: unknown) => void;
  readonly #admission: Admission;
  readonly #connections: Connections;
  readonly #tally = new Tally();
  readonly #uploads: UploadWatch;
  readonly #rooms: WaitingRooms<ClientRequest>;
  readonly #lost = new LostRequests();
  readonly #sessions = new Map<WebSocketSession, AccountId>();
  #draining = false;

  constructor(options: FrontOptions) {
    const { routes, previews, proxies, cells, rays, pages, assets, tracing, onFault, loadLimits = NO_LIMITS } = options;
    const patience = { ...PATIENCE, ...options.patience };
    this.#admission = new Admission(loadLimits);
    this.#connections = new Connections(proxies, this.#admission);
    this.#http2 = new Http2Front({
      headersMs: patience.headersMs,
      onSession: (session, socket) => this.#onSession(session, socket),
      onStream: (session, stream) => this.#onStream(session, stream),
    });
    this.#uploads = new UploadWatch(patience.uploadWindowMs);
    this.#rooms = new WaitingRooms(options.onWanted);
    this.#routes = routes;
    this.#previews = previews;
    this.#cells = cells;
    this.#rays = rays;
    this.#server = createHttp1Server({
      patience,
      maxConnections: MAX_CONNECTIONS,
      onConnection: (socket) => this.#onConnection(socket),
      onRequest: (req, res, fault) => this.#onHttp1(req, res, fault),
      onConnect: (req, socket) => this.#onConnect(req, socket),
      onUpgrade: (req, socket, head) => this.#onUpgrade(req, socket, head),
      onError: (error, socket) => this.#onClientError(error, socket),
    });
    this.#onFault = onFault;
    this.#pages = pages;
    this.#assets = assets;
    this.#tracing = tracing;
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
      onConnection: (socket) => void (this.#connections.count(socket) || socket.destroy()),
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

  setCordons(table: CordonTable): void {
    this.#routes.setCordons(table);
    this.#rooms.openAll();
  }

  /** A cell's process has ended. */
  onCellLost(verdict: CellLost): void {
    this.#lost.decide(verdict);
  }

  /** A cell has become live: those who waited for one go on. */
  onCellReady(id?: string): void {
    if (id !== undefined) this.#lost.forget(id);
    this.#rooms.open((cordon) => this.#cells.liveIn(cordon).length > 0);
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
    this.#admission.suspend(account);
    for (const [session, owner] of this.#sessions) if (owner === account) session.cut(POLICY_VIOLATION);
  }

  resume(account: AccountId): void {
    this.#admission.resume(account);
  }

  /** Its requests get a 429 from here on. */
  refuse(account: AccountId): void {
    this.#admission.refuse(account);
  }

  admit(account: AccountId): void {
    this.#admission.admit(account);
  }

  stats(): GatewayStats {
    return {
      ...this.#tally.counts(),
      ...this.#connections.counts(),
      overLimit: this.#admission.overLimit,
      webSockets: this.#sessions.size,
      held: this.#rooms.size,
      routes: this.#routes.size,
      rules: this.#routes.rules,
      cells: this.#cells.stats(),
    };
  }

  place(request: ClientRequest): void {
    const { route } = request;
    if (route === undefined) return;
    // Once more: it may have been held for a while.
    const refusal = this.#admission.refusalOf(route.account);
    if (refusal !== undefined) return request.fail(refusal);
    const { hash, cordon } = route;
    const cell = this.#cells.pick(hash, cordon);
    if (cell !== undefined && request.upgrade !== undefined && this.#isFull(cell)) request.giveUp();
    else if (cell !== undefined) request.forward(cell, route);
    else if (this.#cells.liveIn(cordon).length > 0 || !this.#rooms.hold(request, cordon)) request.giveUp();
  }

  lost(request: ClientRequest, cell: Cell, exchangeId: number): void {
    const again = (): void => {
      // Its Worker may be in another cordon by now.
      const { route } = request;
      if (!request.done && route !== undefined) request.startAgain(this.#routes.current(route));
    };
    this.#lost.hold(cell.id, { exchangeId, again, giveUp: () => request.fail('badGateway') });
  }

  defer(request: ClientRequest): void {
    setImmediate(() => {
      try {
        request.startUpload();
      } catch (error) {
        this.#onFault(error);
        request.req.socket.destroy();
      }
    });
  }

  watchUpload(request: ClientRequest): void {
    this.#uploads.add(request);
  }

  uploaded(request: ClientRequest): void {
    this.#uploads.remove(request);
  }

  notePage(record: PageRecord): void {
    this.#tally.page(record.page);
    this.#pages.add(record);
  }

  finished(request: ClientRequest, end: RequestEnd): void {
    this.#tally.finished(end, request.res.statusCode);
    this.#admission.release(request);
    if (this.#rooms.size > 0) this.#rooms.leave(request);
    removeFrom(request.connection, request);
    if (request.trace !== undefined) this.#tracing?.end(request.trace, request, end);
  }

  upgraded(session: WebSocketSession, cell: Cell, account: AccountId): void {
    cell.webSockets++;
    this.#admission.openWebSocket(account);
    this.#sessions.set(session, account);
    if (this.#draining) session.close(GOING_AWAY);
    else if (this.#admission.isSuspended(account)) session.cut(POLICY_VIOLATION);
  }

  closed(session: WebSocketSession, cell: Cell): void {
    cell.webSockets--;
    const account = this.#sessions.get(session);
    if (account !== undefined) this.#admission.closeWebSocket(account);
    this.#sessions.delete(session);
  }

  #isFull(cell: Cell): boolean {
    return this.#draining || cell.webSockets >= MAX_CELL_WEB_SOCKETS;
  }

  #onConnection(socket: ClientSocket): void {
    const isSecure = socket.encrypted === true; // counted before its handshake
    if (!isSecure && !this.#connections.count(socket)) return sayAndClose(socket, 429, RETRY_AFTER);
    socket[CONNECTION] = this.#connections.open(socket, isSecure ? 'https' : 'http', MAX_PIPELINED);
  }

  #onSession(session: ClientSession, socket: Socket): void {
    session[CONNECTION] = this.#connections.open(socket, 'https', MAX_HTTP2_STREAMS);
  }

  /** What came is no HTTP, or came too slowly. */
  #onClientError(error: Error, socket: ClientSocket): void {
    this.#tally.malformed();
    const { first, open = 0, isClosing = false } = socket[CONNECTION] ?? {};
    if (isClosing) return socket.destroySoon();
    // The body of the only request that is open, or bytes behind one that waits for its answer?
    const isItsOwn = open === 0 || (open === 1 && first?.uploading === true && !first.headSent);
    if (socket[CONNECTION] !== undefined) abortAll(socket[CONNECTION]);
    if (isItsOwn) sayAndClose(socket, statusOf(error));
    else socket.destroy();
  }

  #onHttp1(req: IncomingMessage, res: ServerResponse, fault: PageName | undefined): void {
    const connection = (req.socket as ClientSocket)[CONNECTION];
    // What stands behind a request that was no good may be part of that one, in the eyes of a proxy: it is not looked at.
    if (connection?.isClosing === true || connection?.first?.refuseTrailers() === true) return;
    this.#onRequest(req, res, connection, { fault });
  }

  #onConnect(req: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => socket.destroy());
    const { open = 0, isClosing = false } = (req.socket as ClientSocket)[CONNECTION] ?? {};
    // Behind requests that have no answer yet ours would be taken for theirs.
    if (open === 0 && !isClosing) sayAndClose(socket, 405);
    else if (!isClosing) socket.destroy();
  }

  #onStream(session: ClientSession, { req, res, onClose }: StreamExchange): void {
    const request = this.#onRequest(req, res, session[CONNECTION], {
      fault: isRefusedMethod(req.method) ? 'badMethod' : undefined,
    });
    if (request !== undefined) onClose(() => request.abort());
  }

  #onRequest(
    req: ClientIn,
    res: ClientOut,
    connection: Connection | undefined,
    { upgrade, fault }: Came,
  ): ClientRequest | undefined {
    if (connection === undefined || connection.open >= connection.limit) {
      req.socket.destroy();
      return undefined;
    }
    this.#tally.begun();
    const client = this.#connections.clientOf(connection, req);
    const request = new ClientRequest(this, { req, res, ray: this.#rays.next(), client, connection });
    if (upgrade !== undefined) request.upgrade = upgrade;
    if (this.#tracing !== undefined) request.trace = this.#tracing.begin(req, connection.isTrusted);
    addTo(connection, request);
    try {
      if (fault !== undefined) request.fail(fault);
      else if (this.#admit(request, connection)) this.#route(request, req);
    } catch (error) {
      this.#onFault(error);
      req.socket.destroy();
    }
    return request;
  }

  /** Counts it among those of its client. */
  #admit(request: ClientRequest, { load: peer, ip }: Connection): boolean {
    const { client } = request;
    // A proxy that does not say for whom it asks stands for everybody.
    const load = peer ?? (client.ip === ip ? undefined : this.#admission.ofAddress(client.ip));
    if (load === undefined || this.#admission.takeOfAddress(request, load)) return true;
    request.fail('addressBusy');
    return false;
  }

  #onUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const connection = (req.socket as ClientSocket)[CONNECTION];
    if (connection?.isClosing === true) return;
    // Behind requests that have no answer yet there is no telling whose bytes follow.
    if (connection === undefined || connection.open > 0) {
      socket.destroy();
      return;
    }
    const res = toPlainResponse(req, socket);
    this.#onRequest(req, res, connection, { upgrade: { req, res, socket, head }, fault: findFault(req) });
  }

  #route(request: ClientRequest, req: ClientIn): void {
    const { scheme } = request.client;
    const host = req.headers.host ?? '';
    const path = toPath(req.url ?? '', `${scheme}://${host}`);
    if (path === undefined) return request.fail('badRequest');
    if (path.length > MAX_URL_BYTES) return request.fail('urlTooLong');
    if (!isHost(host)) return request.fail('badHost');
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
    else if (this.#admits(request, route.account)) {
      if (route.assets === undefined) request.start(route, host, path);
      else this.#assets.serve(request, route, { host, path });
    }
  }

  /** Counts it among those of its account. */
  #admits(request: ClientRequest, account: AccountId): boolean {
    if (request.done) return true; // its client left while it was looked for
    const refusal = this.#admission.refusalOf(account);
    if (refusal === undefined && this.#admission.takeOfAccount(request, account)) return true;
    request.fail(refusal ?? 'accountBusy');
    return false;
  }
}
