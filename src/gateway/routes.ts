import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Route, VersionShare } from '../model.ts';
import { fnv1a, mix } from './hash.ts';

const HOST_CACHE_ENTRIES = 10_000; // raw Host headers that led somewhere; forgotten as a whole when full

/** Where the requests for one Worker go. */
export interface WorkerRoute {
  readonly account: AccountId;
  readonly worker: WorkerName;
  /** Of account and worker: places it on a cell, and salts the choice of version. */
  readonly hash: number;
  /** The only version, or undefined when `shares` decides. */
  readonly version: VersionId | undefined;
  readonly shares: readonly VersionShare[] | undefined;
}

export type Resolution = WorkerRoute | 'unknown-host' | 'unknown-worker';

/**
 * Finds the Worker of a Host header. Replaced piecemeal by the supervisor; 100,000 Workers take some 30 MB.
 * Nothing a client sends stays here unless it names a Worker that exists.
 */
export class RouteTable {
  readonly #suffix: string;
  /** By `<worker>.<account>`. */
  readonly #routes = new Map<string, WorkerRoute>();
  /** By the Host header as the client wrote it: the usual request is one look-up. */
  readonly #byHost = new Map<string, WorkerRoute>();

  constructor(baseDomain: string) {
    this.#suffix = `.${baseDomain}`;
  }

  get size(): number {
    return this.#routes.size;
  }

  set(route: Route): void {
    const name = `${route.worker}.${route.account}`;
    const shares = route.shares.filter((share) => share.percentage > 0);
    const only = shares.length === 1 ? shares[0] : undefined;
    this.#byHost.clear();
    if (shares.length === 0) {
      this.#routes.delete(name);
      return;
    }
    this.#routes.set(name, {
      account: route.account,
      worker: route.worker,
      hash: fnv1a(name),
      version: only?.version,
      shares: only === undefined ? shares : undefined,
    });
  }

  remove(account: AccountId, worker: WorkerName): void {
    this.#byHost.clear();
    this.#routes.delete(`${worker}.${account}`);
  }

  clear(): void {
    this.#byHost.clear();
    this.#routes.clear();
  }

  /** Takes a Host header as it came: any case, with or without a port. */
  resolve(host: string): Resolution {
    return this.#byHost.get(host) ?? this.#lookUp(host);
  }

  #lookUp(host: string): Resolution {
    const name = toHostname(host);
    if (!name.endsWith(this.#suffix)) return 'unknown-host';
    const route = this.#routes.get(name.slice(0, -this.#suffix.length));
    if (route === undefined) return 'unknown-worker';
    if (this.#byHost.size >= HOST_CACHE_ENTRIES) this.#byHost.clear();
    this.#byHost.set(host, route);
    return route;
  }
}

/**
 * The version that serves a client. By percentages, and the same one as long as those stay the same: `key` is the
 * client's address, or what it sent as `x-isola-version-key`.
 */
export function chooseVersion(route: WorkerRoute, key: string): VersionId {
  if (route.version !== undefined) return route.version;
  const shares = route.shares ?? [];
  let total = 0;
  for (const share of shares) total += share.percentage;
  let point = (mix(fnv1a(key), route.hash) / 0x1_0000_0000) * total;
  for (const share of shares) {
    point -= share.percentage;
    if (point < 0) return share.version;
  }
  // Unreachable but for rounding; a route without shares is never stored.
  return (shares.at(-1) as VersionShare).version;
}

function toHostname(host: string): string {
  const colon = host.lastIndexOf(':');
  // A port that is none would make the URL that the Worker sees unparsable.
  if (colon !== -1 && !/^\d{0,5}$/.test(host.slice(colon + 1))) return '';
  const name = (colon === -1 ? host : host.slice(0, colon)).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
