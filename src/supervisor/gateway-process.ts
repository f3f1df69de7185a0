/** The gateway, as the supervisor sees it. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { type Channel, openChannel } from '../channel/index.ts';
import type {
  AccountsParams,
  CellLost,
  CellsParams,
  CordonTable,
  PreviewsParams,
  RulesParams,
  StartParams,
  StartResult,
  TlsPair,
  WantedParams,
} from '../gateway/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { HostRule, Route } from '../model.ts';
import type { GatewayNumbers } from '../metrics/index.ts';
import type { TakeSpans } from '../tracing/index.ts';
import type { PreviewNames } from '../store/index.ts';
import { startChild } from './child.ts';

const ROUTES_PER_CALL = 10_000;

export interface GatewayOptions extends StartParams {
  /** The gateway asks for the preview names of a Worker. */
  readonly previews: (account: AccountId, worker: WorkerName) => Promise<PreviewNames>;
  readonly onLine: (line: string) => void;
  /** Records of answers in its own name, as lines of JSON. */
  readonly onPages: (lines: Buffer) => void;
  /** Requests wait for a cell of this cordon. */
  readonly onWanted: (cordon: string) => void;
  /** Spans of requests that are traced. */
  readonly onSpans?: TakeSpans | undefined;
  /** It ended, in order or not. */
  readonly onExit: (reason: string) => void;
}

export class GatewayProcess {
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly #channel: Channel;
  readonly #options: GatewayOptions;
  readonly #exited: Promise<unknown>;

  private constructor(
    { port, tlsPort }: StartResult,
    parts: { channel: Channel; options: GatewayOptions; exited: Promise<unknown> },
  ) {
    this.port = port;
    this.tlsPort = tlsPort;
    this.#channel = parts.channel;
    this.#options = parts.options;
    this.#exited = parts.exited;
  }

  static async start(options: GatewayOptions): Promise<GatewayProcess> {
    const { previews, onLine, onPages, onSpans, onWanted, onExit, ...params } = options;
    const child = startChild({ entry: 'gateway/main.ts', flags: [], inherit: [], onLine });
    const exited = once(child.process, 'exit');
    const channel = openChannel(
      child.socket,
      { ids: 'odd' },
      {
        onNotify: (type, params, payload) => {
          if (type === 'pages') onPages(payload);
          else if (type === 'spans') onSpans?.(params);
          else if (type === 'wanted') onWanted((params as WantedParams).cordon);
          else onLine(`${type} ${JSON.stringify(params)}`);
        },
        onCall: async (method, params) => {
          if (method !== 'previews') throw new Error(`Cannot ${method}: no such method`);
          const { account, worker } = params as PreviewsParams;
          return { value: await previews(account, worker) };
        },
      },
    );
    const answer = await channel.call('start', params).catch(async (error: unknown) => {
      channel.close();
      await exited;
      throw error;
    });
    // Not before: a gateway that cannot start says why in its answer.
    child.process.once('exit', (code, signal) => onExit(signal ?? `exit code ${code}`));
    return new GatewayProcess(answer.value as StartResult, { channel, options, exited });
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

  async listCells(cells: CellsParams['cells']): Promise<void> {
    await this.#channel.call('cells', { cells: cells.map(({ id, cordon }) => ({ id, cordon })) });
  }

  /** Resolves when requests go to cells of these cordons. */
  async setCordons(table: CordonTable): Promise<void> {
    await this.#channel.call('cordons', table);
  }

  /** A cell has ended. What it had not begun is tried elsewhere. */
  cellLost(lost: CellLost): void {
    this.#channel.notify('cellLost', lost);
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

  /** Resolves when requests follow the change, which they do as a whole. */
  async setRules(change: RulesParams): Promise<void> {
    await this.#channel.call('rules', change);
  }

  /** At the start: all that there are. */
  async loadRules(rules: readonly HostRule[]): Promise<void> {
    for (let at = 0; at < rules.length; at += ROUTES_PER_CALL) {
      await this.setRules({ set: rules.slice(at, at + ROUTES_PER_CALL) });
    }
  }

  /** Resolves when the gateway has forgotten what it knew of a Worker's previews. */
  async previewsChanged(key: PreviewsParams): Promise<void> {
    await this.#channel.call('previews', key);
  }

  /** For handshakes from here on. */
  async useCertificates(pairs: readonly TlsPair[]): Promise<void> {
    await this.#channel.call('tls', { pairs });
  }

  /** Resolves when requests for suspended accounts are refused. To be called before their routes are set. */
  async setAccounts(accounts: AccountsParams): Promise<void> {
    await this.#channel.call('accounts', accounts);
  }

  /** What it counts since its start. */
  async stats(): Promise<GatewayNumbers> {
    return (await this.#channel.call('stats', null)).value as GatewayNumbers;
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
