/** What the suite's WebSocket handlers (`websockets/handlers/*_wsh.py`) do, by their path. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

interface SocketHandler {
  /** Chooses a subprotocol. Absent: none. */
  readonly protocol?: (offered: ReadonlySet<string>) => string | undefined;
  /** Answers in the place of the handshake: true when it has. */
  readonly refuse?: (request: IncomingMessage, socket: Duplex) => boolean;
  /** How long the handshake takes, in ms. */
  readonly delayMs?: number;
  readonly open?: (ws: WebSocket, request: IncomingMessage) => unknown;
}

const GOODBYE = 'Goodbye';
const BASIC_AUTH = 'Basic Zm9vOmJhcg=='; // foo:bar
const SECOND = 1_000;

const first = (offered: ReadonlySet<string>): string | undefined => offered.values().next().value;
const say = (text: (ws: WebSocket, request: IncomingMessage) => string): NonNullable<SocketHandler['open']> => {
  return (ws, request) => {
    ws.send(text(ws, request));
    ws.close(SECOND);
  };
};

function echo(ws: WebSocket): void {
  ws.on('message', (data: Buffer, isBinary: boolean) => {
    ws.send(data, { binary: isBinary });
    if (!isBinary && data.toString() === GOODBYE) ws.close();
  });
}

const SOCKET_HANDLERS: Readonly<Record<string, SocketHandler>> = {
  '/basic_auth': {
    refuse(request, socket) {
      if (request.headers.authorization === BASIC_AUTH) return false;
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm="camelot"\r\n\r\n');
      return true;
    },
    open: (ws) => ws.close(),
  },
  '/delayed-passive-close': {
    open(ws) {
      // ws answers a close at once; the answer is held back here.
      const close = ws.close.bind(ws);
      ws.close = (code, reason) => void setTimeout(() => close(code, reason), SECOND);
    },
  },
  '/echo': { protocol: (offered) => (offered.has('echo') ? 'echo' : undefined), open: echo },
  '/echo-cookie': { open: say((_, { headers }) => headers.cookie ?? '(none)') },
  '/echo-query': { open: say((_, { url = '' }) => url.slice(url.indexOf('?') + 1)) },
  '/echo-query_v13': { open: say((_, { url = '' }) => url.slice(url.indexOf('?') + 1)) },
  '/echo_exit': { open: (ws) => ws.on('message', (data: Buffer) => data.toString() === GOODBYE && ws.close()) },
  '/echo_close_data': { open: (ws) => ws.on('message', (data: Buffer) => data.toString() === GOODBYE && ws.close()) },
  '/empty-message': {
    open: (ws) => ws.once('message', (data: Buffer) => ws.send(data.length === 0 ? 'pass' : 'fail')),
  },
  '/handshake_no_extensions': { open: (ws) => ws.close() },
  '/handshake_no_protocol': { open: (ws) => ws.close() },
  '/handshake_protocol': { protocol: () => 'foobar', open: (ws) => ws.close() },
  '/handshake_sleep_2': { delayMs: 2 * SECOND, open: (ws) => ws.close() },
  '/invalid': {
    refuse(_, socket) {
      socket.end('FOO BAR BAZ\r\n\r\n');
      return true;
    },
  },
  '/origin': { open: say((_, { headers }) => headers.origin ?? '') },
  '/passive-close-abort': {
    open(ws) {
      ws.close = () => ws.terminate();
    },
  },
  '/protocol': { protocol: first, open: say((ws) => ws.protocol) },
  '/protocol_array': { protocol: first, open: say((ws) => ws.protocol) },
  '/receive-many-with-backpressure': {
    open(ws) {
      ws.on('message', (data: Buffer) => {
        ws.pause();
        setTimeout(() => {
          ws.send(String(data.length));
          ws.resume();
        }, SECOND / 10);
      });
    },
  },
  '/referrer': { open: say((_, { headers }) => headers.referer ?? 'MISSING AS PER FETCH') },
  '/remote-close': {
    open(ws, { url = '' }) {
      const query = new URLSearchParams(url.slice(url.indexOf('?') + 1));
      const code = query.get('code');
      if (query.get('abrupt') === '1') ws.terminate();
      else if (code === null) ws.close();
      else ws.close(Number(code), query.get('reason') ?? '');
    },
  },
};

let chosen: string | undefined;
const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  handleProtocols: () => chosen ?? false,
});

/** Answers a handshake; 404 for what has no handler. */
export function serveWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  const handler = SOCKET_HANDLERS[(request.url ?? '').split('?', 1)[0] ?? ''];
  if (handler === undefined) {
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  if (handler.refuse?.(request, socket) === true) return;
  const accept = (): void => {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    chosen = handler.protocol?.(new Set(offered.filter((name) => name !== '')));
    server.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => {});
      handler.open?.(ws, request);
    });
  };
  if (handler.delayMs === undefined) accept();
  else setTimeout(accept, handler.delayMs);
}

/** Cuts all connections. */
export function closeWebSockets(): void {
  for (const ws of server.clients) ws.terminate();
}
