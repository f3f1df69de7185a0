/**
 * HTTP/2 as the rest of the gateway sees HTTP: a request and an answer for each stream (RFC 9113). WebSockets come by
 * HTTP/1.1 on the same port: browsers open a connection of their own for them.
 */
import { type IncomingHttpHeaders, validateHeaderName, validateHeaderValue } from 'node:http';
import {
  constants,
  createServer,
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { MAX_HTTP2_STREAMS, MAX_REQUEST_HEADER_BYTES, MAX_REQUEST_HEADERS } from '../limits.ts';
import type { ClientIn, ClientOut, ClientPort } from './client-io.ts';
import { HOP_BY_HOP } from './hop-by-hop.ts';

const IDLE_MS = 75_000; // without a request
const CLOSING_MS = 10_000; // from GOAWAY to the end of a connection that has no request
const BODY_MS = 300_000; // from the head to the end of its body, as HTTP/1.1 has it
const SESSION_MEMORY_MB = 4; // what Node holds for one connection beside the bodies: more is refused
const WINDOW_BYTES = 256 * 1024; // of body that one stream may send ahead
const RESET_BURST = 500; // streams that a client may give up at once ("rapid reset"), before its connection is ended
const RESETS_A_SECOND = 50;
const MAX_INVALID_FRAMES = 50;
const MAX_REJECTED_STREAMS = 50;

const NOT_IN_HTTP2: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'http2-settings']);
/** Node gives each byte as a character; anything else would not be one byte on its way to the cell. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const NOT_A_FIELD = /[^\t\u0020-\u00ff]/;

export interface Http2Handlers {
  /** From the beginning of a connection to the end of its first request's head. */
  readonly headersMs: number;
  onSession(session: ServerHttp2Session, socket: TLSSocket): void;
  onStream(session: ServerHttp2Session, stream: StreamExchange): void;
}

/** One stream: the request that came in on it, and the answer. */
export interface StreamExchange {
  readonly req: ClientIn;
  readonly res: ClientOut;
  /** It is over, answered or not. */
  readonly onClose: (listener: () => void) => void;
}

/** Speaks HTTP/2 on TLS connections that agreed on it. Listens on nothing: connections are given to `accept`. */
export class Http2Front {
  readonly #server: Http2Server;
  readonly #handlers: Http2Handlers;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(handlers: Http2Handlers) {
    this.#handlers = handlers;
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MB,
      maxHeaderListPairs: MAX_REQUEST_HEADERS,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSessionRejectedStreams: MAX_REJECTED_STREAMS,
      streamResetBurst: RESET_BURST,
      streamResetRate: RESETS_A_SECOND,
      settings: {
        maxConcurrentStreams: MAX_HTTP2_STREAMS,
        maxHeaderListSize: MAX_REQUEST_HEADER_BYTES,
        initialWindowSize: WINDOW_BYTES,
      },
    });
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      const watch = new IdleWatch(session, handlers.headersMs);
      session.on('stream', (stream) => watch.add(stream));
      session.on('error', () => {}); // its close follows
      session.on('close', () => {
        watch.stop();
        this.#sessions.delete(session);
      });
    });
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (stream: ServerHttp2Stream, headers, _flags, rawHeaders) => {
      const { session } = stream;
      stream.on('error', () => {}); // its close follows
      if (session === undefined || stream.destroyed) return;
      const request = toStream(stream, headers, rawHeaders);
      if (request === undefined) stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
      else handlers.onStream(session as ServerHttp2Session, request);
    });
  }

  accept(socket: TLSSocket): void {
    // The session is there before emit() returns: no other one comes in between.
    this.#server.once('session', (session) => this.#handlers.onSession(session, socket));
    this.#server.emit('connection', socket);
  }

  /** GOAWAY: streams that are open go on, new ones are not taken. */
  drain(): void {
    for (const session of this.#sessions) session.close();
  }

  terminate(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

/**
 * Ends a connection that has no request for a while. What else comes on it does not count: a head that comes byte by byte
 * keeps a connection busy, and so do pings.
 */
class IdleWatch {
  readonly #session: ServerHttp2Session;
  #open = 0;
  #timer: NodeJS.Timeout;

  constructor(session: ServerHttp2Session, firstMs: number) {
    this.#session = session;
    this.#timer = setTimeout(() => session.destroy(), firstMs);
  }

  add(stream: ServerHttp2Stream): void {
    clearTimeout(this.#timer);
    this.#open++;
    stream.once('close', () => {
      this.#open--;
      if (this.#open > 0 || this.#session.destroyed) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#close(), IDLE_MS);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** GOAWAY; cut when a head is under way that does not come to its end. */
  #close(): void {
    this.#session.close();
    this.#timer = setTimeout(() => this.#session.destroy(), CLOSING_MS);
  }
}

/** Undefined for a request that is none (RFC 9113 §8.3.1). nghttp2 has seen to most of it. */
function toStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  raw: readonly string[],
): StreamExchange | undefined {
  const method = headers[':method'];
  const path = headers[':path'];
  const authority = headers[':authority'];
  if (typeof method !== 'string' || typeof path !== 'string' || method === 'CONNECT') return undefined;
  if (headers[':scheme'] !== 'https') return undefined;
  const host = typeof authority === 'string' ? authority : headers.host;
  // Both are allowed, but a client that says two things is up to something.
  if (host === undefined || (headers.host !== undefined && headers.host.toLowerCase() !== host.toLowerCase())) {
    return undefined;
  }
  const rawHeaders = ['host', host];
  let cookies = '';
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    if (NOT_A_FIELD.test(value)) return undefined;
    if (name.startsWith(':') || name === 'host') continue;
    // A cookie may come in parts, for the sake of compression (§8.2.3).
    if (name === 'cookie') cookies = cookies === '' ? value : `${cookies}; ${value}`;
    else rawHeaders.push(name, value);
  }
  if (cookies !== '') rawHeaders.push('cookie', cookies);
  headers.host = host;
  return {
    req: new Http2In(stream, { method, url: path, headers, rawHeaders }),
    res: new Http2Out(stream),
    onClose: (listener) => stream.on('close', listener),
  };
}

class Http2In implements ClientIn {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly socket: ClientPort;
  readonly endsWithHead: boolean;
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, head: Pick<Required<ClientIn>, 'method' | 'url' | 'headers' | 'rawHeaders'>) {
    this.method = head.method ?? '';
    this.url = head.url ?? '';
    this.headers = head.headers;
    this.rawHeaders = head.rawHeaders;
    this.endsWithHead = stream.endAfterHeaders;
    this.#stream = stream;
    this.socket = new StreamPort(stream);
    if (this.endsWithHead) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), BODY_MS);
    stream.once('end', () => clearTimeout(timer));
    stream.once('close', () => clearTimeout(timer));
  }

  on(event: 'data' | 'end', listener: (chunk: Buffer) => void): void {
    this.#stream.on(event, listener);
  }

  once(event: 'end', listener: () => void): void {
    this.#stream.once(event, listener);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }
}

class StreamPort implements ClientPort {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    stream.on('timeout', () => stream.close(constants.NGHTTP2_CANCEL));
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  destroy(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  setTimeout(ms: number): void {
    this.#stream.setTimeout(ms);
  }
}

class Http2Out implements ClientOut {
  statusCode = 0;
  shouldKeepAlive = true; // HTTP/2 says it by GOAWAY
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  writeHead(status: number, _statusText: string | undefined, headers: string[]): void {
    const head: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = (headers[at] ?? '').toLowerCase();
      const value = headers[at + 1] ?? '';
      validateHeaderName(name);
      validateHeaderValue(name, value);
      if (NOT_IN_HTTP2.has(name)) continue;
      const before = head[name];
      if (before === undefined) head[name] = value;
      else if (name === 'set-cookie') head[name] = Array.isArray(before) ? [...before, value] : [String(before), value];
      else head[name] = `${String(before)}, ${value}`; // the same, by RFC 9110 §5.2
    }
    head[':status'] = status;
    if (!this.#stream.destroyed) this.#stream.respond(head);
    this.statusCode = status;
  }

  flushHeaders(): void {}

  write(chunk: string | Uint8Array, encoding: BufferEncoding = 'utf8'): boolean {
    return this.#stream.write(chunk, encoding);
  }

  end(chunk?: string | Uint8Array, encoding: BufferEncoding = 'utf8'): void {
    if (this.#stream.writableEnded || this.#stream.destroyed) return;
    if (chunk === undefined) this.#stream.end();
    else this.#stream.end(chunk, encoding);
  }

  on(event: 'drain', listener: () => void): void {
    this.#stream.on(event, listener);
  }

  once(event: 'close', listener: () => void): void {
    this.#stream.once(event, listener);
  }
}
