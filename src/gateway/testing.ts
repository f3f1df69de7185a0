/** Test set-up: a real gateway process, with the test as its supervisor and as its cells. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Channel,
  type ChannelHandlers,
  type Exchange,
  type ExchangeEvents,
  openChannel,
} from '../channel/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Route } from '../model.ts';
import type { GatewayStats, PreviewList, StartParams, StartResult, TlsPair } from './protocol.ts';

export const TOKEN = 'test-token-0123456789';

export const SILENT: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };

export interface TestGateway {
  readonly process: ChildProcess;
  readonly supervisor: Channel;
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly socketPath: string;
  /** Where it looks for blobs. There are none. */
  readonly blobsDir: string;
  /** Records of its own answers, as lines of JSON. */
  readonly notes: readonly string[];
  stats(): Promise<GatewayStats & { memory: number }>;
  /** Links a cell, lists it, and waits until it is live. */
  link(id: string, handlers: ChannelHandlers): Promise<Channel>;
  stop(): Promise<void>;
}

export interface RequestOptions {
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | readonly string[]>;
  readonly body?: string | Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TestGatewayOptions {
  readonly start?: Partial<StartParams>;
  /** What the supervisor answers about previews. */
  readonly previews?: (worker: string) => PreviewList;
}

/** Starts one that serves `hello.acme.localhost`. */
export async function startGateway({ start = {}, previews }: TestGatewayOptions = {}): Promise<TestGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'isola-gateway-'));
  const socketPath = join(dir, 'cells');
  const blobsDir = join(dir, 'blobs');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const pipe = child.stdio[3];
  assert.ok(pipe instanceof Socket);
  const notes: string[] = [];
  const supervisor = openChannel(
    pipe,
    { ids: 'odd' },
    {
      onCall: async (method, params) => {
        if (method !== 'previews' || previews === undefined) throw new Error(`Cannot ${method}`);
        return { value: previews((params as { worker: string }).worker) };
      },
      onNotify: (type, _params, payload) => void (type === 'pages' && notes.push(payload.toString())),
    },
  );
  const started = await supervisor.call('start', {
    host: '127.0.0.1',
    port: 0,
    baseDomain: 'localhost',
    socketPath,
    linkToken: TOKEN,
    blobsDir,
    ...start,
  });
  await supervisor.call('routes', { reset: true, set: [route('hello')] });
  const cells: { id: string; cordon: 'default' }[] = [];
  const stats: TestGateway['stats'] = async () =>
    (await supervisor.call('stats', null)).value as GatewayStats & { memory: number };
  return {
    process: child,
    supervisor,
    ...(started.value as Required<StartResult>),
    socketPath,
    blobsDir,
    notes,
    stats,
    async link(id, handlers) {
      const channel = await linkCell(socketPath, id, TOKEN, handlers);
      if (cells.every((cell) => cell.id !== id)) cells.push({ id, cordon: 'default' });
      await supervisor.call('cells', { cells });
      await until(async () => (await stats()).cells.some((cell) => cell.id === id && cell.live));
      return channel;
    },
    async stop() {
      const exited = once(child, 'exit');
      supervisor.close();
      if (child.exitCode === null) await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** One of the certificates kept for tests: `base` for *.acme.localhost, `shop` for shop.example.com. */
export function testPair(name: 'base' | 'shop'): TlsPair {
  const path = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'tls', name);
  return {
    cert: readFileSync(`${path}.pem`, 'utf8'),
    key: readFileSync(`${path}.key`, 'utf8'),
    names: name === 'base' ? ['*.acme.localhost', 'localhost'] : ['shop.example.com', '*.shop.example.com'],
  };
}

export async function linkCell(path: string, id: string, token: string, handlers: ChannelHandlers): Promise<Channel> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write(`cell ${id} ${token}\n`);
  const channel = openChannel(socket, { ids: 'even' }, handlers);
  channel.notify('ready', null);
  return channel;
}

/** Asks again, one round trip after another, until the answer is yes. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

export function route(
  worker: string,
  shares: Route['shares'] = [{ version: 'v1' as VersionId, percentage: 100 }],
): Route {
  return { account: 'acme' as AccountId, worker: worker as WorkerName, shares };
}

/** A cell that answers every request at once. */
export function answering(answer: (exchange: Exchange, head: string[], body: Buffer) => void): ChannelHandlers {
  return {
    onRequest(exchange, head, body) {
      answer(exchange, head.split('\n'), body);
      return SILENT;
    },
  };
}

/** One request on a connection of its own. Rejects when the connection breaks. */
export function send(gateway: TestGateway, options: RequestOptions = {}): Promise<HttpAnswer> {
  const { host = 'hello.acme.localhost', method = 'GET', path = '/', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const req = request({
      host: '127.0.0.1',
      port: gateway.port,
      method,
      path,
      agent: false,
      headers: { host, ...headers },
    });
    req.on('error', reject);
    req.on('response', (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          statusText: res.statusMessage ?? '',
          headers: res.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    req.end(body);
  });
}

/** Writes `text` as it is, and reads until the gateway closes the connection. */
export async function sendRaw(gateway: TestGateway, text: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  socket.write(text, 'latin1');
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
