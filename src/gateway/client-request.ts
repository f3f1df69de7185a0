import { STATUS_CODES } from 'node:http';
import type { ByteSink, Pump } from '../assets/index.ts';
import { RESET_CODES, type Exchange, type ExchangeEvents } from '../channel/index.ts';
import type { AccountId, VersionId } from '../ids.ts';
import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import { toTraceparent } from '../trace-context.ts';
import { completeHandshake, WebSocketSession } from '../web-socket/index.ts';
import type { Cell } from './cells.ts';
import type { ClientIn, ClientOut, PendingUpgrade } from './client-io.ts';
import type { PageRecord } from './page-log.ts';
import { hasBadTrailers } from './faults.ts';
import type { Load } from './load-limits.ts';
import { CLOSING_PAGES, PAGES, type PageName, writePage } from './pages.ts';
import { type BodyTarget, RequestBody } from './request-body.ts';
import { announcedBody, toRequestHead } from './request-head.ts';
import { parseResponseHead } from './response-head.ts';
import type { WorkerRoute } from './routes.ts';
import type { Upload } from './upload-watch.ts';
import type { RequestTrace } from './tracing.ts';
import { chooseVersion } from './version-choice.ts';
import type { Waiting } from './waiting-room.ts';

const LINGER_MS = 2_000; // how long a client may go on sending a body that has been refused
const MAX_LOSSES = 3; // cells that one request may be lost with
const STALL_MS = 60_000; // how long a client may take no byte of what waits for it, before it is cut off
const INLINE_TEXT_BYTES = 16 * 1024; // above that, a copy into a string costs more than a second buffer in the write

/** For whom a request is. */
export interface Client {
  readonly ip: string;
  /** Of the URL that the Worker sees. */
  readonly scheme: 'http' | 'https';
}

/** Where requests come in, one after another or at the same time. */
export interface ClientConnection extends Client {
  /** Requests without an answer, latest first. */
  first: ClientRequest | undefined;
  open: number;
  /** Its last answer has been given: what else comes is not looked at. */
  isClosing: boolean;
}

/** What a request needs of its server. */
export interface RequestHost {
  /** No connection is to be used again. */
  readonly draining: boolean;
  /** Calls its `startUpload` when the parser is through with what has come. */
  defer(request: ClientRequest): void;
  /** Its body is on its way: to be ended when it comes too slowly. */
  watchUpload(request: ClientRequest): void;
  /** The body is here. */
  uploaded(request: ClientRequest): void;
  /** Finds a live cell for it, or holds it until there is one. */
  place(request: ClientRequest): void;
  /** Its cell has ended without an answer: tries it again if the cell had not begun it, else fails it. */
  lost(request: ClientRequest, cell: Cell, exchangeId: number): void;
  /** It gets a page of our own: for the log. */
  notePage(record: PageRecord): void;
  /** It has been answered, or will never be: forget it. */
  finished(request: ClientRequest, end: RequestEnd): void;
  /** Its connection is a WebSocket from here on. `onEnd` of the session calls the function that this returns. */
  upgraded(session: WebSocketSession, cell: Cell, account: AccountId): void;
  closed(session: WebSocketSession, cell: Cell): void;
}

export interface RequestParts {
  readonly req: ClientIn;
  readonly res: ClientOut;
  readonly ray: string;
  readonly client: Client;
  readonly connection: ClientConnection;
}

export type RequestEnd = 'answered' | 'upgraded' | 'bad-gateway' | 'unavailable' | 'client-gone' | 'broken-off';

/**
 * One request on its way: from the client to a cell, and the answer back. Nothing is listened to on the response, and on
 * the request only if it has a body: the connection tells all its requests when the client goes.
 */
export class ClientRequest implements ExchangeEvents, Waiting, Upload, BodyTarget {
  readonly req: ClientIn;
  readonly res: ClientOut;
  readonly ray: string;
  readonly client: Client;
  readonly connection: ClientConnection;
  /** Its client asks for a WebSocket; `res` is for any other answer. */
  upgrade: PendingUpgrade | undefined;
  /** The next one of the same connection (pipelining). */
  next: ClientRequest | undefined;
  /** What its client and its account have under way; counted while it is. */
  addressLoad: Load | undefined;
  accountLoad: Load | undefined;
  /** When it is traced. */
  trace: RequestTrace | undefined;
  readonly #host: RequestHost;
  #route: WorkerRoute | undefined;
  /** Absent: it has none. */
  #body: RequestBody | undefined;
  #hostHeader = '';
  #path = '';
  #cell: Cell | undefined;
  #exchange: Exchange | undefined;
  /** What takes the place of the response: the exchange speaks to it alone. */
  #session: WebSocketSession | undefined;
  /** Sends a file. */
  #pump: Pump | undefined;
  #done = false;
  #headSent = false;
  /** The answer has no body whatever the cell sends: HEAD, 204, 304. */
  #bodiless = false;
  /** Bytes still due of an announced length; undefined when the body is chunked. */
  #due: number | undefined;
  /** Cells that it was lost with. */
  #losses = 0;
  /** Bytes written to a client that does not keep up: granted to the cell once they have gone. */
  #ungranted = 0;
  #drainWatched = false;

  constructor(host: RequestHost, { req, res, ray, client, connection }: RequestParts) {
    this.#host = host;
    this.req = req;
    this.res = res;
    this.ray = ray;
    this.client = client;
    this.connection = connection;
  }

  /** It has been answered, or its client has gone. */
  get done(): boolean {
    return this.#done;
  }

  /** Its answer has begun. */
  get headSent(): boolean {
    return this.#headSent;
  }

  get route(): WorkerRoute | undefined {
    return this.#route;
  }

  /** Sends it on its way to the Worker. */
  start(route: WorkerRoute, host: string, path: string): void {
    if (this.#done) return; // its client left while it was looked for
    const announced = announcedBody(this.req);
    if (announced !== 0) this.#body = new RequestBody(this.req);
    if (announced !== undefined && announced > MAX_REQUEST_BODY_BYTES) {
      this.fail('bodyTooLarge');
      return;
    }
    this.#route = route;
    this.#hostHeader = host;
    this.#path = path;
    // A body that is wrong from its first bytes on is known to be so when the parser is through with what has come.
    if (this.uploading) this.#host.defer(this);
    else this.#host.place(this);
  }

  /** Its cell has ended and had not begun it. */
  startAgain(route: WorkerRoute): void {
    this.#route = route;
    this.#host.place(this);
  }

  /** Its body is on its way. */
  get uploading(): boolean {
    return this.#body?.uploading === true;
  }

  /** Sends it on its way, once what has come of its body was parsed. */
  startUpload(): void {
    if (this.#done || this.refuseTrailers()) return;
    this.#host.place(this);
  }

  /** Ends it when its body has ended with what is not allowed there. The parser knows that before `end` is told of. */
  refuseTrailers(): boolean {
    if (this.#done || !hasBadTrailers(this.req.rawTrailers)) return false;
    this.#exchange?.reset(RESET_CODES.canceled, 'the trailers are not allowed');
    if (this.#headSent) this.#breakOff('');
    else this.fail('badRequest');
    return true;
  }

  checkRate(minBytes: number): void {
    const isSlow = this.#body?.isSlow(minBytes) === true;
    // A Worker that answers meanwhile may be talking with its client. Once it has answered, nobody waits for the body.
    if (!isSlow || (this.#headSent && !this.#done)) return;
    this.#exchange?.reset(RESET_CODES.canceled, 'the request body came too slowly');
    if (this.#done) this.req.socket.destroy();
    else this.fail('bodyTooSlow');
  }

  /** Opens the exchange. The version is chosen now: a request that was held gets the one deployed meanwhile. */
  forward(cell: Cell, route: WorkerRoute): void {
    const { req, client } = this;
    const { headers } = req;
    const version = this.versionOf(route);
    const isUpgrade = this.upgrade !== undefined;
    const head = toRequestHead({
      ray: this.ray,
      version,
      clientIp: client.ip,
      method: req.method ?? 'GET',
      scheme: client.scheme,
      host: this.#hostHeader,
      path: this.#path,
      rawHeaders: req.rawHeaders,
      connection: headers.connection,
      isUpgrade,
      trace: this.trace && toTraceparent(this.trace),
    });
    this.#cell = cell;
    const body = this.#body;
    this.#exchange = cell.channel.request(head, undefined, body === undefined && !isUpgrade, this);
    if (body === undefined) return;
    for (const chunk of body.kept ?? []) this.#exchange.write(chunk);
    if (!body.uploading) this.#exchange.end();
    else if (body.hasBegun) req.resume();
    else {
      body.read(this);
      this.#host.watchUpload(this);
    }
  }

  /** The version of a route that serves this client. */
  versionOf({ version: only, weights = [] }: WorkerRoute): VersionId {
    if (only !== undefined) return only;
    const key = this.req.headers['x-isola-version-key'];
    const version = chooseVersion(weights, typeof key === 'string' ? key : this.client.ip);
    if (version === undefined) throw new Error('A route has neither a version nor weights');
    return version;
  }

  resume(): void {
    this.#host.place(this);
  }

  giveUp(): void {
    this.fail('unavailable');
  }

  /** The client's connection has closed. */
  abort(): void {
    if (this.#done) return;
    this.#exchange?.reset(RESET_CODES.canceled, 'client disconnected');
    this.#pump?.stop();
    this.#finish('client-gone');
  }

  /** Answers with a page of our own. Only before the head has been sent. */
  fail(page: PageName): void {
    if (this.#done) return;
    this.#headSent = true;
    if (this.#host.draining) this.res.shouldKeepAlive = false;
    // A refused body is not worth reading to its end, so the connection cannot be used again.
    const linger = page === 'bodyTooLarge' || page === 'bodyTooSlow';
    const close = linger || CLOSING_PAGES.has(page);
    if (close) {
      this.res.shouldKeepAlive = false;
      this.connection.isClosing = true;
    }
    writePage(this.req, this.res, page, this.ray, close);
    const { method = '', url = '', headers } = this.req;
    this.#host.notePage({ ray: this.ray, status: PAGES[page][0], page, method, url: `${headers.host ?? ''}${url}` });
    if (linger) this.#linger();
    else this.res.end();
    if (this.uploading) this.req.resume();
    if (page === 'badGateway') this.#finish('bad-gateway');
    else this.#finish(page === 'unavailable' ? 'unavailable' : 'answered');
  }

  /** Sends the client to another URL: the same one, but by TLS. */
  redirect(location: string): void {
    this.#headSent = true;
    this.res.writeHead(308, STATUS_CODES[308], ['location', location, 'content-length', '0', 'x-isola-ray', this.ray]);
    this.res.end();
    this.#finish('answered');
  }

  /** Answers without the Worker. False when not all of the body could be written at once: the client holds it. */
  answer(status: number, headers: readonly string[], body?: string | Buffer): boolean {
    this.#writeOwnHead(status, headers);
    if (typeof body === 'string') this.res.end(body, 'latin1');
    else this.res.end(body);
    this.#guardStall();
    this.#finish('answered');
    return this.req.socket.writableLength === 0;
  }

  /** The same with a body that comes as the client takes it. */
  send(status: number, headers: readonly string[], createPump: (sink: ByteSink) => Pump): void {
    const { req, res } = this;
    this.#writeOwnHead(status, headers);
    const pump = createPump({
      write: (chunk) => {
        const goesOn = res.write(chunk);
        if (!goesOn) this.#guardStall();
        return goesOn;
      },
      end: () => {
        res.end();
        this.#guardStall();
        this.#finish('answered');
      },
      fail: () => this.#breakOff(''),
    });
    this.#pump = pump;
    res.on('drain', () => {
      req.socket.setTimeout(0);
      pump.resume();
    });
    pump.resume();
  }

  takeBody(chunk: Buffer): boolean {
    if (this.#headSent) this.#body?.forgetKept();
    return this.#exchange?.write(chunk) !== false;
  }

  refuseBody(): void {
    this.#exchange?.reset(RESET_CODES.tooLarge, 'request body is too large');
    if (this.#headSent) this.#breakOff('');
    else this.fail('bodyTooLarge');
  }

  endBody(): void {
    this.#host.uploaded(this);
    if (!this.#done && !this.refuseTrailers()) this.#exchange?.end();
  }

  onResponse(status: number, head: string, body: Buffer, fin: boolean): void {
    if (this.#done) return;
    if (status === 101 && this.upgrade !== undefined && !fin) {
      this.#switch(this.upgrade, head, body);
      return;
    }
    try {
      this.#writeHead(status, head, body.length, fin);
    } catch {
      // The cell is not trusted to send only what HTTP allows: node:http has thrown at a name or a value.
      this.#exchange?.reset(RESET_CODES.internal, 'response head is not valid HTTP');
      this.fail('badGateway');
      return;
    }
    if (!fin) {
      if (body.length > 0) this.onData(body);
      else this.res.flushHeaders();
      return;
    }
    if (this.#bodiless || body.length === 0) this.res.end();
    // As text it joins the head in one string, and one write; as a buffer it would be a second part of a writev.
    else if (body.length <= INLINE_TEXT_BYTES) this.res.end(body.toString('latin1'), 'latin1');
    else this.res.end(body);
    this.#complete();
  }

  onData(chunk: Buffer): void {
    if (this.#session !== undefined) return this.#session.onData(chunk);
    if (this.#done) return;
    const { res } = this;
    if (this.#due !== undefined) {
      this.#due -= chunk.length;
      // More than announced would be read as the next response: by the client, or by everybody behind its proxy.
      if (this.#due < 0) {
        this.#breakOff('response body exceeds its content-length');
        return;
      }
    }
    if (this.#bodiless || res.write(chunk)) {
      this.#exchange?.grant(chunk.length);
      return;
    }
    this.#ungranted += chunk.length;
    this.#guardStall();
    if (this.#drainWatched) return;
    this.#drainWatched = true;
    res.on('drain', () => {
      this.req.socket.setTimeout(0);
      this.#exchange?.grant(this.#ungranted);
      this.#ungranted = 0;
    });
  }

  onEnd(): void {
    if (this.#done) return; // also of a WebSocket, which ends with a close of its own
    if (this.#due !== undefined && this.#due > 0) {
      this.#breakOff('response body is shorter than its content-length');
      return;
    }
    this.res.end();
    this.#complete();
  }

  onReset(code: number): void {
    if (this.#session !== undefined) return this.#session.onReset(code);
    if (this.#done) return;
    if (code === RESET_CODES.channelClosed && this.#isRepeatable()) this.#lose();
    else if (!this.#headSent) this.fail(code === RESET_CODES.refused ? 'unavailable' : 'badGateway');
    else this.#breakOff('');
  }

  onDrain(): void {
    this.#session?.onDrain();
    this.#body?.goOn();
  }

  /** The Worker has accepted the WebSocket. */
  #switch(upgrade: PendingUpgrade, head: string, body: Buffer): void {
    const exchange = this.#exchange;
    const cell = this.#cell;
    const account = this.#route?.account;
    if (exchange === undefined || cell === undefined || account === undefined) return;
    const { req, res } = upgrade;
    res.detachSocket(req.socket);
    let ws: ReturnType<typeof completeHandshake>;
    try {
      ws = completeHandshake(req, upgrade, [...parseResponseHead(head).headers, 'x-isola-ray', this.ray]);
    } catch {
      exchange.reset(RESET_CODES.internal, 'response head is not valid HTTP');
      res.assignSocket(req.socket);
      this.fail('badGateway');
      return;
    }
    if (ws === undefined) return this.abort();
    const session = new WebSocketSession(ws, upgrade.socket, {
      exchange,
      onEnd: () => this.#host.closed(session, cell),
    });
    this.#session = session;
    this.#host.upgraded(session, cell, account);
    this.res.statusCode = 101;
    this.#finish('upgraded');
    if (body.length > 0) session.onData(body);
  }

  /** All that the cell was given is here still. */
  #isRepeatable(): boolean {
    return (
      !this.#headSent &&
      this.upgrade === undefined &&
      (this.#body === undefined || this.#body.kept !== undefined) &&
      this.#losses < MAX_LOSSES
    );
  }

  #lose(): void {
    const cell = this.#cell;
    const exchange = this.#exchange;
    if (cell === undefined || exchange === undefined) return this.fail('badGateway');
    this.#losses++;
    this.#exchange = undefined;
    this.#body?.hold();
    this.#host.lost(this, cell, exchange.id);
  }

  #writeOwnHead(status: number, headers: readonly string[]): void {
    this.#headSent = true;
    if (this.#host.draining) this.res.shouldKeepAlive = false;
    this.res.writeHead(status, STATUS_CODES[status] ?? '', [...headers, 'x-isola-ray', this.ray]);
  }

  #writeHead(status: number, head: string, bodyLength: number, fin: boolean): void {
    if (status < 200 || status > 599) throw new RangeError(`Cannot send status ${status}`);
    const { statusText, headers: given, contentLength } = parseResponseHead(head);
    const isHead = this.req.method === 'HEAD';
    this.#bodiless = isHead || status === 204 || status === 304;
    let length = contentLength;
    if (status === 204) length = undefined;
    else if (!this.#bodiless && fin) length = bodyLength;
    if (!this.#bodiless && !fin) this.#due = length;
    const headers =
      length === undefined
        ? [...given, 'x-isola-ray', this.ray]
        : [...given, 'content-length', String(length), 'x-isola-ray', this.ray];
    if (this.#host.draining) this.res.shouldKeepAlive = false;
    this.res.writeHead(status, statusText ?? STATUS_CODES[status] ?? '', headers);
    this.#headSent = true;
    this.#body?.forgetKept();
  }

  /** The answer is complete. If the client is still sending, nobody wants it any more. */
  #complete(): void {
    if (this.uploading || this.upgrade !== undefined) {
      this.#exchange?.reset(RESET_CODES.none, 'response is complete');
      this.req.resume();
    }
    this.#guardStall();
    this.#finish('answered');
  }

  /** node:http then destroys the socket, and it sets a timeout of its own once the response is out. */
  #guardStall(): void {
    const { socket } = this.req;
    if (socket.writableLength > 0) socket.setTimeout(STALL_MS);
  }

  #breakOff(reason: string): void {
    this.#exchange?.reset(RESET_CODES.internal, reason);
    this.#finish('broken-off');
    this.req.socket.destroy();
  }

  /**
   * Ends the response only once the client has stopped sending: closing a socket with unread bytes sends a TCP reset,
   * which may overtake the page that says why.
   */
  #linger(): void {
    const { req, res } = this;
    const end = (): void => {
      clearTimeout(timer);
      res.end();
    };
    const timer = setTimeout(end, LINGER_MS);
    req.once('end', end);
    res.once('close', () => clearTimeout(timer));
  }

  #finish(end: RequestEnd): void {
    this.#done = true;
    this.#host.finished(this, end);
  }
}
