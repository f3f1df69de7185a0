/** The gateway, as the supervisor sees it. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { type Channel, openChannel } from '../channel/index.ts';
import type { AccountsParams } from '../gateway/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { Route } from '../model.ts';
import { startChild } from './child.ts';

const ROUTES_PER_CALL = 10_000;

export interface GatewayOptions {
  readonly host: string;
  readonly port: number;
  readonly baseDomain: string;
  readonly socketPath: string;
  readonly linkToken: string;
  readonly blobsDir: string;
  readonly onLine: (line: string) => void;
  /** Records of answers in its own name, as lines of JSON. */
  readonly onPages: (lines: Buffer) => void;
  /** It ended, in order or not. */
  readonly onExit: (reason: string) => void;
}

export class GatewayProcess {
  readonly port: number;
  readonly #channel: Channel;
  readonly #options: GatewayOptions;
  readonly #exited: Promise<unknown>;

  private constructor(port: number, parts: { channel: Channel; options: GatewayOptions; exited: Promise<unknown> }) {
    this.port = port;
    this.#channel = parts.channel;
    this.#options = parts.options;
    this.#exited = parts.exited;
  }

  static async start(options: GatewayOptions): Promise<GatewayProcess> {
    const child = startChild({ entry: 'gateway/main.ts', flags: [], inherit: [], onLine: options.onLine });
    const exited = once(child.process, 'exit');
    const channel = openChannel(
      child.socket,
      { ids: 'odd' },
      {
        onNotify: (type, params, payload) => {
          if (type === 'pages') options.onPages(payload);
          else options.onLine(`${type} ${JSON.stringify(params)}`);
        },
      },
    );
    const { host, port, baseDomain, socketPath, linkToken, blobsDir } = options;
    const answer = await channel
      .call('start', { host, port, baseDomain, socketPath, linkToken, blobsDir })
      .catch(async (error: unknown) => {
        channel.close();
        await exited;
        throw error;
      });
    // Not before: a gateway that cannot start says why in its answer.
    child.process.once('exit', (code, signal) => options.onExit(signal ?? `exit code ${code}`));
    const bound = (answer.value as { port: number }).port;
    return new GatewayProcess(bound, { channel, options, exited });
  }

  /** A connected socket on which the cell `id` may speak: to be inherited by its process. */
  async connectLink(id: string): Promise<Socket> {
    const socket = connect(this.#options.socketPath);
    await once(socket, 'connect');
    // The child reads from here on; this end must not have taken a byte.
    socket.pause();
    await new Promise<void>((resolve, reject) => {
      socket.write(`cell ${id} ${this.#options.linkToken}\n`, (error) => (error ? reject(error) : resolve()));
    });
    return socket;
  }

  async listCells(ids: readonly string[]): Promise<void> {
    await this.#channel.call('cells', { cells: ids.map((id) => ({ id, cordon: 'default' })) });
  }

  /** Resolves when requests follow the new routes. */
  async setRoutes(routes: readonly Route[]): Promise<void> {
    for (let at = 0; at < routes.length; at += ROUTES_PER_CALL) {
      await this.#channel.call('routes', { set: routes.slice(at, at + ROUTES_PER_CALL) });
    }
  }

  async removeRoutes(workers: readonly { account: AccountId; worker: WorkerName }[]): Promise<void> {
    for (let at = 0; at < workers.length; at += ROUTES_PER_CALL) {
      await this.#channel.call('routes', { remove: workers.slice(at, at + ROUTES_PER_CALL) });
    }
  }

  /** Resolves when requests for suspended accounts are refused. To be called before their routes are set. */
  async setAccounts(accounts: AccountsParams): Promise<void> {
    await this.#channel.call('accounts', accounts);
  }

  /** Takes no new connections; resolves when what is under way has been answered, or after `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    await this.#channel.call('drain', { timeoutMs });
  }

  /** Ends it. Drain before, or clients are cut off. */
  async stop(): Promise<void> {
    this.#channel.close();
    await this.#exited;
  }
}
