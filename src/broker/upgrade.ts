/** Asking an origin for a WebSocket: the handshake as a client, over a guarded connection. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { MAX_REQUEST_HEADER_BYTES } from '../limits.ts';
import { SESSION_OPTIONS } from '../web-socket/index.ts';
import type { Guard } from './connect.ts';
import type { HopResponse } from './egress.ts';
import { EgressError } from './errors.ts';
import { headerValue } from './headers.ts';
import type { Hop } from './redirect.ts';

const PROTOCOL_HEADER = 'sec-websocket-protocol';

export interface UpgradedConnection {
  readonly ws: WebSocket;
  /** Below `ws`. */
  readonly socket: IncomingMessage['socket'];
}

/** Rejects with whatever went wrong, or an EgressError. */
export type Upgrade = (hop: Hop, signal: AbortSignal) => Promise<HopResponse>;

export interface Upgrader {
  readonly upgrade: Upgrade;
  /** Cuts all connections. */
  close(): void;
}

export function createUpgrader({ guard, timeoutMs }: { guard: Guard; timeoutMs: number }): Upgrader {
  const open = new Set<WebSocket>();
  const upgrade: Upgrade = (hop, signal) =>
    new Promise((resolve, reject) => {
      const refused = guard.refuse(hop.url.hostname);
      if (refused !== undefined) throw refused;
      const url = new URL(hop.url);
      url.hash = '';
      const ws = new WebSocket(url, {
        ...SESSION_OPTIONS,
        headers: toHeaders(hop.headers),
        lookup: guard.lookup,
        maxHeaderSize: MAX_REQUEST_HEADER_BYTES,
        handshakeTimeout: timeoutMs,
      });
      open.add(ws);
      ws.on('close', () => open.delete(ws));
      const abort = (): void => ws.terminate();
      signal.addEventListener('abort', abort);
      const settle = (): void => signal.removeEventListener('abort', abort);
      let answer: IncomingMessage | undefined;
      ws.on('upgrade', (response) => {
        answer = response;
        const protocol = response.headers[PROTOCOL_HEADER];
        const offered = headerValue(hop.headers, PROTOCOL_HEADER)?.split(',') ?? [];
        if (protocol !== undefined && !offered.some((name) => name.trim() === protocol)) {
          reject(
            new EgressError(`WebSocket handshake failed: ${hop.url.origin} chose a subprotocol that was not offered`),
          );
          ws.terminate();
        }
        // ws was told of no subprotocols, since it would insist that the server chooses one. It is not to see the choice.
        delete response.headers[PROTOCOL_HEADER];
      });
      ws.on('open', () => {
        settle();
        ws.pause(); // until somebody listens
        if (answer !== undefined) resolve(toSwitched(answer, ws));
      });
      ws.on('unexpected-response', (_request, response) => {
        settle();
        open.delete(ws);
        signal.addEventListener('abort', () => response.destroy());
        resolve(toOrdinary(response));
      });
      ws.on('error', (error) => {
        settle();
        reject(isHandshakeError(error) ? handshakeError(hop, error) : error);
      });
    });
  return {
    upgrade,
    close: () => {
      for (const ws of open) ws.terminate();
    },
  };
}

function toSwitched(answer: IncomingMessage, ws: WebSocket): HopResponse {
  return {
    status: 101,
    statusText: answer.statusMessage ?? '',
    headers: answer.rawHeaders,
    body: Readable.from([]),
    discard: () => {},
    connection: { ws, socket: answer.socket },
  };
}

function toOrdinary(response: IncomingMessage): HopResponse {
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? '',
    headers: response.rawHeaders,
    body: response,
    // Its connection is not used again.
    discard: () => response.destroy(),
  };
}

/** By name, several values of one as a list. Those of the handshake are ws's, but for the subprotocols. */
function toHeaders(list: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = (list[at] ?? '').toLowerCase();
    if (name.startsWith('sec-websocket-') && name !== PROTOCOL_HEADER) continue;
    (headers[name] ??= []).push(list[at + 1] ?? '');
  }
  return headers;
}

/** What ws itself finds wrong with an answer has no code. */
function isHandshakeError(error: Error): boolean {
  return !(error instanceof EgressError) && !('code' in error);
}

function handshakeError(hop: Hop, error: Error): EgressError {
  return new EgressError(`WebSocket handshake failed: ${hop.url.origin} did not answer as RFC 6455 has it`, {
    cause: error,
  });
}
