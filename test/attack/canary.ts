/** The neighbours: Workers of another account under steady load, and how each of their requests went. */
import { Agent, request } from 'node:http';
import { preferredCell } from '../../src/gateway/hash.ts';
import type { TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const EVERY_MS = 20;
const PER_CELL = 2;
const CODE = 'export default { fetch: () => new Response("alive") }';

interface Sent {
  readonly at: number;
  /** `undefined` while it is under way. */
  endedAt: number | undefined;
  isLost: boolean;
}

/** What the canaries went through in a span of time. */
export interface CanaryReport {
  readonly sent: number;
  readonly lost: number;
  /** Lost although it was sent when no cell was ending. */
  readonly lostForNothing: number;
  /** The longest wait for an answer, lost ones included, in ms. */
  readonly longestMs: number;
}

export class Canary implements Disposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #url: URL;
  readonly #hosts: readonly string[];
  readonly #timer: NodeJS.Timeout;
  #sent: Sent[] = [];
  #turn = 0;

  private constructor(url: URL, hosts: readonly string[]) {
    this.#url = url;
    this.#hosts = hosts;
    this.#timer = setInterval(() => this.#ask(), EVERY_MS);
  }

  /** Deploys canaries of the platform's own account, so that each cell has some, and begins to ask them in turn. */
  static async start(platform: TestPlatform, cells: number): Promise<Canary> {
    const names = Array.from({ length: cells }, (_, index) => toNames(`c${index}`, cells, platform.account)).flat();
    for (const name of names) await deployCode(platform, name, CODE);
    for (const name of names) await platform.request(name, '/');
    return new Canary(
      new URL(platform.gatewayUrl),
      names.map((name) => `${name}.${platform.account}.localhost`),
    );
  }

  /** Resolves when a request that was sent from now on has been answered. Rejects after `patienceMs`. */
  async alive(patienceMs: number): Promise<void> {
    const since = performance.now();
    for (;;) {
      if (this.#sent.some(({ at, endedAt, isLost }) => at > since && endedAt !== undefined && !isLost)) return;
      if (performance.now() - since > patienceMs) throw new Error(`no canary has answered for ${patienceMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  /** Of the requests that were under way between `from` and `to`; `exits` are the times at which cells ended. */
  report(from: number, to: number, exits: readonly number[]): CanaryReport {
    const during = this.#sent.filter(({ at, endedAt }) => at <= to && (endedAt ?? Infinity) >= from);
    const lost = during.filter(({ isLost }) => isLost);
    const wasUnderWay = ({ at, endedAt }: Sent) =>
      exits.some((exit) => at <= exit && (endedAt ?? Infinity) >= exit - 1_000);
    return {
      sent: during.length,
      lost: lost.length,
      lostForNothing: lost.filter((sent) => !wasUnderWay(sent)).length,
      longestMs: Math.max(0, ...during.map(({ at, endedAt = to }) => endedAt - at)),
    };
  }

  /** What was before is not asked for again. */
  forget(): void {
    this.#sent = this.#sent.filter(({ endedAt }) => endedAt === undefined);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#agent.destroy();
  }

  #ask(): void {
    const sent: Sent = { at: performance.now(), endedAt: undefined, isLost: false };
    this.#sent.push(sent);
    const end = (isLost: boolean): void => {
      sent.endedAt ??= performance.now();
      sent.isLost ||= isLost;
    };
    const { hostname, port } = this.#url;
    const host = this.#hosts[this.#turn++ % this.#hosts.length] ?? '';
    const outgoing = request({ hostname, port, agent: this.#agent, headers: { host } }, (incoming) => {
      incoming.resume();
      incoming.on('end', () => end(incoming.statusCode !== 200));
      incoming.on('error', () => end(true));
    });
    outgoing.on('error', () => end(true));
    outgoing.end();
  }
}

function toNames(cell: string, count: number, account: string): string[] {
  const cells = Array.from({ length: count }, (_, index) => `c${index}`);
  const names: string[] = [];
  for (let i = 0; names.length < PER_CELL; i++) {
    const name = `canary-${i}`;
    if (preferredCell(`${name}.${account}`, cells) === cell) names.push(name);
  }
  return names;
}
