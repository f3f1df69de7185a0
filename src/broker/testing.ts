/** Local origins and short words for the tests of this folder. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type net from 'node:net';
import { afterEach } from 'node:test';
import { EgressError, type EgressRequest, type EgressResponse } from './index.ts';

/** The signal of a fetch that nobody cancels. */
export const never = new AbortController().signal;

const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    if (server instanceof http.Server) server.closeAllConnections();
  }
});

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export async function listen(server: net.Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

export const serve = (handler: Handler): Promise<string> => listen(http.createServer(handler));

/** Answers with what arrived: method, URL, headers, body. */
export const echo: Handler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

export function get(url: string, changes: Partial<EgressRequest> = {}): EgressRequest {
  return { method: 'GET', url, headers: [], body: undefined, redirect: 'follow', ...changes };
}

export async function text(response: EgressResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function echoed(response: EgressResponse): Promise<Echoed> {
  const parsed: Echoed = JSON.parse(await text(response));
  return parsed;
}

export async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

export const refusal = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof EgressError);
  assert.match(error.message, message);
  return true;
};
