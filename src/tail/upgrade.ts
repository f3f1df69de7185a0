/** The door for who tails: a WebSocket at `/tails/<token>` of the control port. */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isHandshake, SESSION_OPTIONS } from '../web-socket/index.ts';
import type { Tails } from './tails.ts';

export const TAILS_PATH = '/tails/';
const PROTOCOL = 'trace-v1';
const MAX_MESSAGE_BYTES = 4 * 1024; // wrangler sends one of 15
const MASK_BIT = 0x80;

/** Takes over all upgrades of the server. */
export function acceptTails(server: Server, tails: Pick<Tails, 'connect' | 'isOpen'>): void {
  const sockets = new WebSocketServer({
    ...SESSION_OPTIONS,
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has(PROTOCOL) && PROTOCOL,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const { url = '' } = request;
    const token = url.startsWith(TAILS_PATH) ? url.slice(TAILS_PATH.length) : '';
    if (token === '' || !tails.isOpen(token)) return refuse(socket, 404);
    if (!isHandshake(request)) return refuse(socket, 400);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      takeUnmaskedFirst(ws, socket);
      tails.connect(token, ws);
    });
  });
}

/**
 * wrangler sends its first frame without a mask, and all others with one: RFC 6455 §5.1 has a server close upon that. For
 * the first frame ws is told to expect what comes. To be removed when wrangler's `createTail` has no `mask: false` any more.
 */
function takeUnmaskedFirst(ws: WebSocket, socket: Duplex): void {
  const receiver = (ws as unknown as { readonly _receiver: { _isServer: boolean } })._receiver;
  const beMasked = (): void => {
    receiver._isServer = true;
  };
  let seen = 0;
  const look = (chunk: Buffer): void => {
    const second = chunk[1 - seen];
    seen += chunk.length;
    if (second === undefined) return;
    socket.off('data', look);
    receiver._isServer = (second & MASK_BIT) !== 0;
    for (const event of ['message', 'ping', 'pong'] as const) ws.once(event, beMasked);
  };
  socket.prependListener('data', look);
}

function refuse(socket: Duplex, status: 400 | 404): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
