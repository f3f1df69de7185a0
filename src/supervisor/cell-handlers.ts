/** What a cell may ask of the trusted side. Everything it says is checked: a cell may have been taken over. */
import { toAssetsWorker } from '../assets/index.ts';
import { type Egress, EgressError, type FetchRequest, type HostPolicy, serveFetch } from '../broker/index.ts';
import { parseResourceHead, type Resources, serveResource, toVersionMessage } from '../cell/index.ts';
import { type ChannelHandlers, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { VersionCode } from '../model.ts';
import { loadModules, type Blobs, type Registry } from '../store/index.ts';
import { openVersion, type Vault } from '../secrets/index.ts';
import type { WorkerKey } from '../control/index.ts';
import type { CellUsage } from '../usage/index.ts';
import type { TakeSpans } from '../tracing/index.ts';
import type { InvocationLog } from './invocation-log.ts';

const MAX_LOADING = 8; // versions being read for one cell, up to 64 MiB each; further ones queue
const MAX_FETCHING = 4_096; // fetches under way for one cell, up to 256 KiB of upload waiting in each
const MAX_WEB_SOCKETS = 16_384; // open for one cell to servers; the other half of its exchanges is for fetches
const IGNORE: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };

export interface CellHandlersDeps {
  readonly registry: Registry;
  readonly blobs: Blobs;
  readonly vault: Vault;
  readonly egress: Egress;
  /** Whether this cell may have the Worker's code: it is in its cordon. */
  readonly mayRun: (worker: WorkerKey) => boolean;
  /** What answers for the things that Workers reach beside the network. Each checks whose they are. */
  readonly resources: Resources;
  readonly log: InvocationLog;
  /** Of this cell. */
  readonly usage: CellUsage;
  readonly onWarning: (message: string) => void;
  /** Spans of invocations that are traced, unchecked. */
  readonly onSpans?: TakeSpans | undefined;
  /** What the cell tells of itself once a second, unchecked. */
  readonly onStats: (message: unknown) => void;
}

/** One per cell: what it counts is that cell's. */
export function createCellHandlers(deps: CellHandlersDeps): ChannelHandlers {
  const loading = new Turns(MAX_LOADING);
  /** Accounts whose code it was given: in their names it may speak, and in nobody else's. */
  const served = new Set<string>();
  let fetching = 0;
  let webSockets = 0;
  return {
    async onCall(method, params) {
      if (method === 'version') {
        await loading.take();
        try {
          const code = await loadVersion(deps, toId(params, 'id') as VersionId);
          served.add(code.spec.account);
          deps.usage.allow(code.spec.id, code.spec);
          const { header, payload } = toVersionMessage(code);
          return { value: header, payload };
        } finally {
          loading.give();
        }
      }
      if (method === 'usage') {
        await deps.usage.take(params);
        return { value: {} };
      }
      if (method === 'service') {
        const account = toId(params, 'account') as AccountId;
        if (!served.has(account))
          throw new Error(`Cannot look up a service: no Worker of ${account} runs in this cell`);
        const state = await deps.registry.route(account, toId(params, 'worker') as WorkerName);
        return { value: { version: servingVersion(state?.route.shares) } };
      }
      throw new Error(`Cannot call "${method.slice(0, 50)}": there is no such method`);
    },
    onRequest(exchange, head, body, fin) {
      const question = parseResourceHead(head);
      if (!served.has(question?.account ?? head.slice(0, head.indexOf('\n')))) {
        exchange.reset(RESET_CODES.refused, 'No Worker of that account runs in this cell.');
        return IGNORE;
      }
      if (fetching >= MAX_FETCHING) {
        exchange.reset(RESET_CODES.refused, 'Too many fetches are under way.');
        return IGNORE;
      }
      if (webSockets >= MAX_WEB_SOCKETS && !fin && question === undefined && head.includes('\nupgrade\n')) {
        exchange.reset(RESET_CODES.refused, 'Too many WebSockets are open.');
        return IGNORE;
      }
      fetching++;
      const request = { body, fin, onEnd: () => void fetching-- };
      if (question !== undefined) return serveResource(deps.resources, exchange, { ...question, ...request });
      return serveFetch(deps.egress, exchange, {
        ...request,
        ...parseFetchHead(head, (account) => hostsOf(deps.registry, account)),
        onOpen: () => void webSockets++,
        onClose: () => void webSockets--,
      });
    },
    onNotify(type, params, payload) {
      if (type === 'records') {
        deps.log.append(payload, params === 'notable' || params === 'tailed' ? params : 'plain', served);
      } else if (type === 'stats') {
        deps.onStats(params);
      } else if (type === 'spans') {
        deps.onSpans?.(params);
      } else if (type === 'catastrophe')
        deps.onWarning(`A cell lost control of an isolate: ${toId(params, 'message')}`);
    },
  };
}

/** `account\nworker\nray\nhops\n` and the guest's own head. */
function parseFetchHead(
  text: string,
  findHosts: (account: AccountId) => Promise<HostPolicy>,
): Pick<FetchRequest, 'head' | 'hops' | 'hosts'> {
  const start = nthIndexOf(text, '\n', 4) + 1;
  const [account = '', , , hops] = text.slice(0, start).split('\n', 4);
  return {
    head: text.slice(start),
    hops: Number.parseInt(hops ?? '', 10) || 0,
    hosts: findHosts(account as AccountId),
  };
}

/** Asked at each fetch, so that a change holds for those that run already. */
async function hostsOf(registry: Registry, id: AccountId): Promise<HostPolicy> {
  const account = await registry.account(id);
  if (account === undefined) throw new EgressError('Cannot fetch: the account is gone');
  const { egressAllow: allow, egressDeny: deny } = account.settings;
  return { allow, deny };
}

/** The version that takes calls through service bindings: of several that share the traffic, the largest. */
export function servingVersion(
  shares: readonly { version: VersionId; percentage: number }[] | undefined,
): VersionId | undefined {
  return shares?.toSorted((a, b) => b.percentage - a.percentage)[0]?.version;
}

/** A version with its code and its secrets in plain form: for the cell that runs it, and nobody else. */
export async function loadVersion(
  { registry, blobs, vault, mayRun }: Pick<CellHandlersDeps, 'blobs' | 'mayRun' | 'registry' | 'vault'>,
  id: VersionId,
): Promise<VersionCode> {
  const version = await openVersion({ registry, vault }, id);
  if (version === undefined) throw new Error(`Cannot load version ${id}: there is none`);
  if (!mayRun(version.spec)) {
    throw new Error(`Cannot load version ${id}: its Worker is kept apart from those that run here`);
  }
  // Here, because a cell that started just now knows of no suspension.
  if ((await registry.account(version.spec.account))?.status !== 'active') {
    throw new Error(`Cannot load version ${id}: its account is suspended`);
  }
  if (version.spec.assets?.only === true) return toAssetsWorker(version);
  return { spec: version.spec, modules: await loadModules(blobs, version) };
}

/** Lets so many at a time. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}

function toId(params: unknown, name: string): string {
  const value = (params as Record<string, unknown> | null)?.[name];
  if (typeof value !== 'string' || value.length > 1_000) throw new Error(`Cannot answer: "${name}" is not a string`);
  return value;
}

function nthIndexOf(text: string, part: string, count: number): number {
  let at = -1;
  for (let found = 0; found < count; found++) {
    at = text.indexOf(part, at + 1);
    if (at < 0) throw new Error('Cannot fetch: the head is malformed');
  }
  return at;
}
