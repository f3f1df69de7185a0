/** A WebSocket handshake of node:http, through a local exchange: the answer 101, or any other on the same connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import {
  completeHandshake,
  isHandshake,
  toPlainResponse,
  type Upgrade,
  WebSocketSession,
} from '../web-socket/index.ts';

type Open = (head: string, events: ExchangeEvents) => Exchange;

/** The open sessions of a runtime, for its end. */
export type Sessions = Set<WebSocketSession>;

/** As `sendRequest`. Never throws: a client that is wrong gets a 400, a Worker that fails is a 502. */
export function sendUpgrade(req: IncomingMessage, upgrade: Upgrade, options: { open: Open; sessions: Sessions }): void {
  const { socket } = upgrade;
  socket.on('error', () => socket.destroy());
  const res = toPlainResponse(req, socket);
  if (!isHandshake(req)) {
    res.writeHead(400).end();
    return;
  }
  const fields = req.rawHeaders.map((field, index) => (index % 2 === 0 ? field.toLowerCase() : field));
  const head = ['GET', `http://${req.headers.host ?? 'localhost'}${req.url ?? '/'}`, ...fields].join('\n');
  const answer = new UpgradeAnswer({ req, res, upgrade, sessions: options.sessions });
  answer.connect(options.open(head, answer));
}

class UpgradeAnswer implements ExchangeEvents {
  readonly #client: { req: IncomingMessage; res: ServerResponse; upgrade: Upgrade; sessions: Sessions };
  #exchange: Exchange | undefined;
  #session: WebSocketSession | undefined;

  constructor(client: { req: IncomingMessage; res: ServerResponse; upgrade: Upgrade; sessions: Sessions }) {
    this.#client = client;
  }

  connect(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#client.upgrade.socket.on('close', () => {
      if (this.#session === undefined) exchange.reset(RESET_CODES.canceled, 'client disconnected');
    });
  }

  onResponse(status: number, head: string, body: Buffer, fin: boolean): void {
    const [, ...headers] = head.split('\n');
    if (status === 101) return this.#switch(headers);
    this.#client.res.writeHead(status, headers);
    this.onData(body);
    if (fin) this.onEnd();
  }

  onData(chunk: Buffer): void {
    if (this.#session !== undefined) return this.#session.onData(chunk);
    this.#client.res.write(chunk, () => this.#exchange?.grant(chunk.byteLength));
  }

  onEnd(): void {
    if (this.#session !== undefined) return;
    this.#client.res.end();
    this.#exchange?.reset(RESET_CODES.none, 'response is complete');
  }

  onDrain(): void {
    this.#session?.onDrain();
  }

  onReset(code: number): void {
    if (this.#session !== undefined) return this.#session.onReset(code);
    const { res } = this.#client;
    if (res.headersSent) res.destroy();
    else res.writeHead(502).end();
  }

  #switch(headers: readonly string[]): void {
    const { req, res, upgrade, sessions } = this.#client;
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    res.detachSocket(req.socket);
    const ws = completeHandshake(req, upgrade, headers);
    if (ws === undefined) {
      exchange.reset(RESET_CODES.canceled, 'client disconnected');
      return;
    }
    const session = new WebSocketSession(ws, upgrade.socket, { exchange, onEnd: () => sessions.delete(session) });
    this.#session = session;
    sessions.add(session);
  }
}
