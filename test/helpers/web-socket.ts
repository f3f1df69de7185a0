/** A WebSocket client of a Worker, by the `ws` package over the gateway's port. */
import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import type { TestPlatform } from './platform.ts';

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export class TestSocket {
  readonly ws: WebSocket;
  /** Resolves when it has ended, however. */
  readonly closed: Promise<Close>;
  readonly #unread: (string | Buffer)[] = [];
  #wake: (() => void) | undefined;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      this.#unread.push(isBinary ? data : data.toString());
      this.#wake?.();
    });
    ws.on('error', () => {});
    this.closed = new Promise((resolve) =>
      ws.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake?.();
      }),
    );
  }

  send(data: string | Uint8Array): void {
    this.ws.send(data);
  }

  /** The next message: text as a string, the rest as a Buffer. Rejects when the socket ends first. */
  async next(): Promise<string | Buffer> {
    while (this.#unread.length === 0) {
      if (this.ws.readyState === this.ws.CLOSED)
        throw new Error(`The WebSocket ended with ${(await this.closed).code}, without a further message`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#unread.shift() ?? '';
  }

  close(code?: number, reason?: string): Promise<Close> {
    this.ws.close(code, reason);
    return this.closed;
  }
}

/** Opens one. Rejects when the answer is not 101; the message has its status. */
export async function openSocket(
  platform: TestPlatform,
  worker: string,
  path = '/',
  options: ClientOptions & { protocols?: string[] } = {},
): Promise<TestSocket> {
  const gateway = new URL(platform.gatewayUrl);
  const { protocols = [], headers, ...rest } = options;
  const ws = new WebSocket(`ws://${gateway.host}${path}`, protocols, {
    ...rest,
    headers: { host: `${worker}.${platform.account}.localhost:${gateway.port}`, ...headers },
  });
  const socket = new TestSocket(ws);
  await once(ws, 'open');
  return socket;
}
