/** The answer 101 to a client that asks for a WebSocket, by the `upgrade` event of a server of node:http. */
import { type IncomingMessage, ServerResponse, validateHeaderName, validateHeaderValue } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SESSION_OPTIONS } from './session.ts';

const KEY = /^[+/0-9A-Za-z]{22}==$/; // RFC 6455 §4.1: 16 bytes in Base64
const PROTOCOL_HEADER = 'sec-websocket-protocol';

/** A connection whose client waits for the answer to its handshake. */
export interface Upgrade {
  readonly socket: Duplex;
  /** What the client has sent behind its request. */
  readonly head: Buffer;
}

/** The answer being given: handleUpgrade asks for its parts while it runs, and does not wait. */
let answer: { readonly protocol: string | undefined; readonly headers: readonly string[] } = {
  protocol: undefined,
  headers: [],
};

const server = new WebSocketServer({
  ...SESSION_OPTIONS,
  noServer: true,
  clientTracking: false,
  handleProtocols: (offered) => {
    const { protocol } = answer;
    // One that was not offered makes clients fail; without any, they go on.
    return protocol !== undefined && offered.has(protocol) && protocol;
  },
});
server.on('headers', (lines) => {
  const { headers } = answer;
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`);
});

export function isHandshake({ method, headers }: IncomingMessage): boolean {
  const version = headers['sec-websocket-version'];
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  const hasKey = KEY.test(headers['sec-websocket-key'] ?? '') && (version === '13' || version === '8');
  return method === 'GET' && hasKey && !hasBody;
}

/**
 * Completes the handshake with the Worker's headers (name and value by turns). Returns the open WebSocket, or undefined
 * when the client has gone or asks for nonsense; it has been answered then. Throws on headers that are none.
 */
export function completeHandshake(
  req: IncomingMessage,
  { socket, head }: Upgrade,
  given: readonly string[],
): WebSocket | undefined {
  const headers: string[] = [];
  let protocol: string | undefined;
  for (let at = 0; at + 1 < given.length; at += 2) {
    const name = given[at] ?? '';
    const value = given[at + 1] ?? '';
    validateHeaderName(name);
    validateHeaderValue(name, value);
    const lower = name.toLowerCase();
    if (lower === PROTOCOL_HEADER) protocol = value;
    else if (!lower.startsWith('sec-websocket-')) headers.push(name, value);
  }
  answer = { protocol, headers };
  let opened: WebSocket | undefined;
  server.handleUpgrade(req, socket, head, (ws) => {
    opened = ws;
  });
  return opened;
}

/** For an answer other than 101: an ordinary response on a connection that node:http has handed over. */
export function toPlainResponse(req: IncomingMessage, socket: Duplex): ServerResponse {
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(req.socket);
  socket.on('drain', () => res.emit('drain'));
  res.on('finish', () => {
    res.detachSocket(req.socket);
    socket.end();
  });
  return res;
}
