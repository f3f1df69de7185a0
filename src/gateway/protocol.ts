/**
 * What the supervisor says to the gateway over their channel: JSON-safe, parsed here once. The gateway in its turn notifies
 * `linkLost {id, error}` when the link of a listed cell has ended, `fault {message}` when a request has met a bug of ours and
 * `wanted {cordon}` when requests wait for a cell that there is not, and calls `previews`.
 */
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { HostRule, Route, VersionAssets } from '../model.ts';
import type { LoadLimitNumbers } from './load-limits.ts';

/** Call `start`. Answered with `StartResult` once the port and the cells' socket accept connections. */
export interface StartParams {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Workers are served at `<worker>.<account>.<baseDomain>`. */
  readonly baseDomain: string;
  /** Where cells are linked, a Unix socket path. */
  readonly socketPath: string;
  /** What a link must present in its first line, `cell <id> <token>`. */
  readonly linkToken: string;
  /** The folder of the blob store: static files are read there. */
  readonly blobsDir: string;
  /** Several gateways share the port. */
  readonly reusePort?: boolean;
  /** A second port, which speaks TLS. */
  readonly tls?: TlsParams;
  /** The plain port only sends clients to the TLS port, which they see as this one; 0: as it is. */
  readonly redirectTo?: number;
  /** Addresses and networks of proxies that are believed about their clients. */
  readonly trustedProxies?: readonly string[];
  /** Share of requests that are traced, 0 to 1; absent: none, nor what trusted proxies want traced. */
  readonly traceRatio?: number | undefined;
  /** What one client and one account may have under way; without it, as much as they like. */
  readonly loadLimits?: LoadLimitNumbers;
  /** How long clients may take, in ms: for tests. */
  readonly patience?: Partial<Patience>;
}

export interface Patience {
  /** From the first byte of a request to the end of its head, and to the end of its body. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How often that is looked at, and the rate of bodies. */
  readonly checkMs: number;
  readonly uploadWindowMs: number;
}

export interface TlsParams {
  readonly port: number;
  readonly pairs: readonly TlsPair[];
}

/** A certificate with its key, both PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** The hosts that it is for, in lower case; a wildcard as the certificate has it, `*.example.com`. */
  readonly names: readonly string[];
}

export interface StartResult {
  readonly port: number;
  readonly tlsPort?: number;
}

/** Call `tls`: other certificates, for handshakes from here on. */
export interface CertificatesParams {
  readonly pairs: readonly TlsPair[];
}

/** Call `rules`: the same as `routes`, for route patterns and custom domains. Takes effect as a whole. */
export interface RulesParams {
  readonly reset?: boolean;
  readonly set?: readonly HostRule[];
  /** By id. */
  readonly remove?: readonly string[];
  /** All of these accounts. */
  readonly removeAccounts?: readonly AccountId[];
}

/** Call `previews`: a Worker has another version, or an alias has moved. A change of its route says so too. */
export interface PreviewsParams {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

/** What the supervisor answers when the gateway calls `previews` with a Worker's `PreviewsParams`. */
export interface PreviewList {
  /** Newest first. */
  readonly versions: readonly VersionId[];
  readonly aliases: readonly (readonly [alias: string, version: VersionId])[];
  /** Of those versions that have static files. */
  readonly assets?: readonly (readonly [version: VersionId, assets: VersionAssets])[];
}

/** Call `routes`: forget everything if `reset`, then take away, then add. Up to 10,000 entries a call. */
export interface RoutesParams {
  readonly reset?: boolean;
  readonly set?: readonly Route[];
  readonly remove?: readonly { readonly account: AccountId; readonly worker: WorkerName }[];
}

/**
 * Call `accounts`: what belongs to a suspended account answers 403, and its WebSockets are closed. Before its routes. What
 * belongs to a refused one answers 429; what is under way goes on.
 */
export interface AccountsParams {
  readonly suspend?: readonly AccountId[];
  readonly resume?: readonly AccountId[];
  readonly refuse?: readonly AccountId[];
  readonly admit?: readonly AccountId[];
}

/** Call `cells`: which cells may be given requests. One that is not listed any more finishes what it has. */
export interface CellsParams {
  readonly cells: readonly { readonly id: string; readonly cordon: string }[];
}

/** Where everything runs that no other cordon is named for. */
export const DEFAULT_CORDON = 'default';

/** Call `cordons`: the cordon of accounts that are not in `default`, and of Workers that are not in their account's. All of them. */
export interface CordonTable {
  readonly accounts: readonly (readonly [account: string, cordon: string])[];
  readonly workers: readonly (readonly [account: string, worker: string, cordon: string])[];
}

/** Notification `cellLost`: its process has ended. */
export interface CellLost {
  readonly id: string;
  /** The last exchange that it had begun; without it, it may have begun all. */
  readonly begun?: number | undefined;
}

/** Notification `wanted`. */
export interface WantedParams {
  readonly cordon: string;
}

/** Call `drain`. Answered when the last request has been answered, or after `timeoutMs`. */
export interface DrainParams {
  readonly timeoutMs: number;
}

/** Answer to `stats`. Counters since the start, apart from `active`, `webSockets`, `held`, `connections`, `routes`, `rules` and `cells`. */
export interface GatewayStats {
  readonly requests: number;
  /** Responses by the first digit of their status, index 0 to 5. */
  readonly statuses: readonly number[];
  /** 502: the cell's link ended, or the cell broke off or answered nonsense, before the head. */
  readonly badGateway: number;
  /** 503: no cell in time, or all full. */
  readonly unavailable: number;
  /** Clients that left before their answer was complete. */
  readonly clientAborts: number;
  /** Responses broken off after their head had been sent. */
  readonly brokenOff: number;
  /** Connections closed because what came on them was no HTTP, or came too slowly. */
  readonly malformed: number;
  /** Connections and requests turned away because their address, or the account, had too many. */
  readonly overLimit: number;
  readonly active: number;
  /** Open ones. Not among `active`. */
  readonly webSockets: number;
  readonly held: number;
  readonly connections: number;
  /** Connections so far. */
  readonly accepted: number;
  /** Bytes on clients' connections. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Pages of the gateway's own, by name. */
  readonly pages: readonly (readonly [page: string, count: number])[];
  readonly routes: number;
  /** Route patterns and custom domains. */
  readonly rules: number;
  readonly cells: readonly {
    readonly id: string;
    readonly live: boolean;
    readonly active: number;
    readonly webSockets: number;
    /** Over the link that stands now. */
    readonly bytesIn: number;
    readonly bytesOut: number;
  }[];
}

export function parseStart(params: unknown): StartParams {
  const { host, port, baseDomain, socketPath, linkToken, blobsDir, reusePort, ...rest } = parseObject('start', params);
  if (
    typeof host !== 'string' ||
    typeof port !== 'number' ||
    typeof baseDomain !== 'string' ||
    typeof socketPath !== 'string' ||
    typeof linkToken !== 'string' ||
    linkToken.length < 16 ||
    typeof blobsDir !== 'string'
  ) {
    throw new TypeError(
      'Cannot start: host, port, baseDomain, socketPath, blobsDir and a linkToken of 16 characters are needed',
    );
  }
  return {
    ...(rest as Pick<StartParams, 'tls' | 'redirectTo' | 'trustedProxies' | 'loadLimits' | 'patience' | 'traceRatio'>), // from the supervisor, which has checked them
    host,
    port,
    baseDomain: baseDomain.toLowerCase(),
    socketPath,
    linkToken,
    blobsDir,
    reusePort: reusePort === true,
  };
}

export function parseRoutes(params: unknown): RoutesParams {
  const { reset, set, remove } = parseObject('routes', params);
  // The entries come from our own registry, which has checked them: a schema over 100,000 would only cost time.
  return {
    reset: reset === true,
    set: Array.isArray(set) ? (set as Route[]) : [],
    remove: Array.isArray(remove) ? (remove as NonNullable<RoutesParams['remove']>) : [],
  };
}

export function parseRules(params: unknown): Required<RulesParams> {
  const { reset, set, remove, removeAccounts } = parseObject('rules', params);
  return {
    reset: reset === true,
    set: Array.isArray(set) ? (set as HostRule[]) : [],
    remove: Array.isArray(remove) ? (remove as string[]) : [],
    removeAccounts: Array.isArray(removeAccounts) ? (removeAccounts as AccountId[]) : [],
  };
}

export function parseCertificates(params: unknown): CertificatesParams {
  const { pairs } = parseObject('tls', params);
  if (!Array.isArray(pairs)) throw new TypeError('Cannot take certificates: a list is needed');
  return { pairs: pairs as TlsPair[] };
}

export function parsePreviews(params: unknown): PreviewsParams {
  const { account, worker } = parseObject('previews', params);
  if (typeof account !== 'string' || typeof worker !== 'string') {
    throw new TypeError('Cannot forget previews: account and worker are needed');
  }
  return { account: account as AccountId, worker: worker as WorkerName };
}

export function parseAccounts(params: unknown): Required<AccountsParams> {
  const { suspend = [], resume = [], refuse = [], admit = [] } = parseObject('accounts', params) as AccountsParams;
  const lists = { suspend, resume, refuse, admit };
  if (!Object.values(lists).every(Array.isArray)) throw new TypeError('Cannot set accounts: lists are needed');
  return lists;
}

export function parseCells(params: unknown): CellsParams {
  const { cells } = parseObject('cells', params);
  if (!Array.isArray(cells)) throw new TypeError('Cannot set cells: a list is needed');
  return { cells: cells as CellsParams['cells'] };
}

/** From the supervisor, which has made it itself. */
export function parseCordons(params: unknown): CordonTable {
  const { accounts, workers } = parseObject('cordons', params);
  if (!Array.isArray(accounts) || !Array.isArray(workers)) throw new TypeError('Cannot set cordons: lists are needed');
  return { accounts, workers };
}

export function parseCellLost(params: unknown): CellLost {
  const { id, begun } = parseObject('cellLost', params);
  if (typeof id !== 'string') throw new TypeError('Cannot take note of a lost cell: id is needed');
  return { id, begun: typeof begun === 'number' ? begun : undefined };
}

export function parseDrain(params: unknown): DrainParams {
  const { timeoutMs } = parseObject('drain', params);
  if (typeof timeoutMs !== 'number') throw new TypeError('Cannot drain: timeoutMs is needed');
  return { timeoutMs };
}

function parseObject(method: string, params: unknown): Record<string, unknown> {
  if (typeof params !== 'object' || params === null) throw new TypeError(`Cannot ${method}: params are not an object`);
  return params as Record<string, unknown>;
}
