/** What `wpt serve` is to a browser: the checkout's files, with their headers and pipes, and the handlers. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import {
  type Answer,
  closeWebSockets,
  HANDLERS,
  pause,
  serveWebSocket,
  type Stash,
  TestRequest,
} from './handlers/index.ts';
import { type Addresses, substitute } from './substitute.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.event_stream': 'text/event-stream',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
  '.xml': 'text/xml',
};

export class WptServer implements AsyncDisposable {
  readonly #directory: string;
  readonly #servers: readonly Server[];
  readonly #stash: Stash = new Map();
  readonly addresses: Addresses;

  private constructor(directory: string, servers: readonly Server[]) {
    this.#directory = directory;
    this.#servers = servers;
    const [first = 0, second = 0] = servers.map((server) => (server.address() as AddressInfo).port);
    this.addresses = { host: 'localhost', ports: [first, second] };
    for (const server of servers) {
      server.on('request', (message, response) => void this.#serve(message, response));
      server.on('upgrade', serveWebSocket);
    }
  }

  /** Two servers on free ports of the loopback, since tests want two origins. */
  static async start(directory: string): Promise<WptServer> {
    const servers = [createServer(), createServer()];
    for (const server of servers) server.listen(0);
    await Promise.all(servers.map((server) => once(server, 'listening')));
    return new WptServer(directory, servers);
  }

  get origin(): string {
    return `http://${this.addresses.host}:${this.addresses.ports[0]}`;
  }

  /** Text of a script of the checkout. Rejects when it is not there. */
  async readScript(path: string): Promise<string> {
    const text = await readFile(join(this.#directory, path), 'utf8');
    return path.includes('.sub.') ? substitute(text, this.addresses) : text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.closeAllConnections();
    closeWebSockets();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    try {
      const request = new TestRequest(message, response, this.#stash);
      const answer = await (HANDLERS[request.url.pathname]?.(request) ?? this.#readFile(request));
      if (answer !== undefined) await send(request, answer);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(String(error));
    }
  }

  async #readFile(request: TestRequest): Promise<Answer | undefined> {
    const { pathname } = request.url;
    const path = join(this.#directory, normalize(decodeURIComponent(pathname)));
    const content = await readFile(path).catch(() => undefined);
    if (content === undefined) return { status: 404, statusText: 'Not Found', body: 'Not Found' };
    if (pathname.endsWith('.asis')) {
      request.response.socket?.end(content);
      return undefined;
    }
    const substituted = pathname.includes('.sub.') || /(^|\|)sub\b/.test(request.query('pipe') ?? '');
    const body = substituted
      ? substitute(content.toString(), this.addresses, request.url, request.message.headers)
      : content;
    const extra = await readFile(`${path}.headers`, 'latin1').catch(() => '');
    const headers = extra.split('\n').flatMap((line): [string, string][] => {
      const at = line.indexOf(':');
      return at < 0 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()]];
    });
    if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
      headers.push(['Content-Type', TYPES[extname(pathname)] ?? 'application/octet-stream']);
    }
    return { headers, body };
  }
}

interface Pipes {
  status: number | undefined;
  headers: [string, string][];
  /** `d` so many seconds of delay, or a number of bytes. */
  trickle: string[];
}

async function send(request: TestRequest, answer: Answer): Promise<void> {
  const { response } = request;
  const pipes = parsePipes(request.query('pipe') ?? '');
  const replaced = new Set(pipes.headers.map(([name]) => name.toLowerCase()));
  const headers = [...(answer.headers ?? []).filter(([name]) => !replaced.has(name.toLowerCase())), ...pipes.headers];
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : (answer.body ?? new Uint8Array());
  const status = pipes.status ?? answer.status ?? 200;
  const isBodyless = status === 204 || status === 304 || status < 200;
  if (!isBodyless && !headers.some(([name]) => name.toLowerCase() === 'content-length')) {
    headers.push(['Content-Length', String(body.byteLength)]);
  }
  const flat = headers.flat();
  if (answer.statusText === undefined) response.writeHead(status, flat);
  else response.writeHead(status, answer.statusText, flat);
  if (request.method === 'HEAD' || isBodyless) {
    response.end();
    return;
  }
  let sent = 0;
  for (const step of pipes.trickle) {
    if (step.startsWith('d')) {
      response.flushHeaders();
      // oxlint-disable-next-line no-await-in-loop -- in turn
      await pause(request, Number(step.slice(1)) * 1000);
    } else {
      response.write(body.subarray(sent, sent + Number(step)));
      sent += Number(step);
    }
  }
  response.end(body.subarray(sent));
}

/** `header(name,value)`, `status(code)` and `trickle(a:b)`; others are ignored, `sub` is done before. */
function parsePipes(text: string): Pipes {
  const pipes: Pipes = { status: undefined, headers: [], trickle: [] };
  for (const [, name = '', parameters = ''] of text.matchAll(/(\w+)(?:\(((?:[^)\\]|\\.)*)\))?/g)) {
    const plain = parameters.replace(/\\(.)/g, '$1');
    const comma = plain.indexOf(',');
    if (name === 'status') pipes.status = Number(plain);
    if (name === 'header') pipes.headers.push([plain.slice(0, comma), plain.slice(comma + 1)]);
    if (name === 'trickle') pipes.trickle = plain.split(':');
  }
  return pipes;
}
