import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { toMatchedPath } from '../matched-path.ts';
import type { HostRule, Route, RouteShare, VersionAssets } from '../model.ts';
import { fnv1a } from './hash.ts';
import { type CordonTable, DEFAULT_CORDON } from './protocol.ts';
import { type HostLevels, HostRules } from './host-rules.ts';
import { toWeights, type Weight } from './version-choice.ts';

const HOST_CACHE_ENTRIES = 10_000; // raw Host headers that led somewhere; forgotten as a whole when full

/** Where the requests for one Worker go. */
export interface WorkerRoute {
  readonly account: AccountId;
  readonly worker: WorkerName;
  /** Of account and worker: places it on a cell. */
  readonly hash: number;
  /** Whose cells may serve it. */
  readonly cordon: string;
  /** The only version, or undefined when `weights` decide. */
  readonly version: VersionId | undefined;
  readonly weights: readonly Weight[] | undefined;
  /** Of those versions that have static files. */
  readonly assets: ReadonlyMap<VersionId, VersionAssets> | undefined;
  /** Not at its default URL. */
  readonly hidden: boolean;
  readonly previews: boolean;
  readonly levels?: undefined;
}

/** The host may name a version of one of these Workers, which the table does not know. */
export interface PreviewCandidates {
  /** The most likely one first. */
  readonly previews: readonly PreviewCandidate[];
  /** What the host leads to when it is no preview. */
  readonly otherwise: Resolution;
}

export interface PreviewCandidate {
  readonly route: WorkerRoute;
  /** The first 8 characters of a version's id, or an alias. */
  readonly label: string;
}

type Resolution = WorkerRoute | 'unknown-host' | 'unknown-worker';

/**
 * Finds the Worker of a URL. Replaced piecemeal by the supervisor; 100,000 Workers take some 30 MB.
 * Nothing a client sends stays here unless it names a Worker or a host of a rule that exists.
 *
 * Below the base domain a Worker at its default URL comes first, then a route or custom domain for the very host, then
 * previews, then wildcards: nothing shadows a Worker.
 */
export class RouteTable {
  readonly #suffix: string;
  /** By `<worker>.<account>`. */
  readonly #routes = new Map<string, WorkerRoute>();
  readonly #rules = new HostRules();
  /** By the Host header as the client wrote it: the usual request is one look-up. */
  readonly #byHost = new Map<string, WorkerRoute | HostLevels>();

  /** By account, and by `<worker>.<account>`: those that are not in the default one. */
  #cordons = new Map<string, string>();

  constructor(baseDomain: string) {
    this.#suffix = `.${baseDomain}`;
  }

  get size(): number {
    return this.#routes.size;
  }

  get rules(): number {
    return this.#rules.size;
  }

  set(route: Route): void {
    const name = `${route.worker}.${route.account}`;
    const shares = route.shares.filter((share) => share.percentage > 0);
    this.#byHost.clear();
    if (shares.length === 0) {
      this.#routes.delete(name);
      return;
    }
    this.#routes.set(name, {
      account: route.account,
      worker: route.worker,
      hash: fnv1a(name),
      cordon: this.#cordonOf(name, route.account),
      version: shares.length === 1 ? shares[0]?.version : undefined,
      weights: shares.length === 1 ? undefined : toWeights(shares),
      assets: toAssets(shares),
      hidden: route.hidden === true,
      previews: route.previews === true,
    });
  }

  /** With the rules that lead to it: a Worker that takes its name later has none of them. */
  remove(account: AccountId, worker: WorkerName): void {
    this.#byHost.clear();
    this.#routes.delete(`${worker}.${account}`);
    this.#rules.removeOf(account, worker);
  }

  /** In place of all that was said before. */
  setCordons({ accounts, workers }: CordonTable): void {
    this.#cordons = new Map(accounts);
    for (const [account, worker, cordon] of workers) this.#cordons.set(`${worker}.${account}`, cordon);
    this.#byHost.clear();
    for (const [name, route] of this.#routes) {
      const cordon = this.#cordonOf(name, route.account);
      if (cordon !== route.cordon) this.#routes.set(name, { ...route, cordon });
    }
  }

  /** What leads to the same Worker now; what led there before, when nothing does. */
  current(route: WorkerRoute): WorkerRoute {
    return this.#routes.get(`${route.worker}.${route.account}`) ?? route;
  }

  setRule(rule: HostRule): void {
    this.#byHost.clear();
    this.#rules.set(rule);
  }

  removeRule(id: string): void {
    this.#byHost.clear();
    this.#rules.remove(id);
  }

  removeRulesOf(account: AccountId): void {
    this.#byHost.clear();
    this.#rules.removeOf(account);
  }

  clear(): void {
    this.#byHost.clear();
    this.#routes.clear();
  }

  clearRules(): void {
    this.#byHost.clear();
    this.#rules.clear();
  }

  /** Takes a Host header as it came: any case, with or without a port. `path` with its query. */
  resolve(host: string, path: string, scheme: 'http' | 'https'): Resolution | PreviewCandidates {
    const known = this.#byHost.get(host);
    if (known === undefined) return this.#lookUp(host, path, scheme);
    return known.levels === undefined ? known : this.#match(known, path, scheme);
  }

  /** An account's id has no dot. */
  #cordonOf(name: string, account: AccountId): string {
    return this.#cordons.get(name) ?? this.#cordons.get(account) ?? DEFAULT_CORDON;
  }

  #lookUp(host: string, path: string, scheme: 'http' | 'https'): Resolution | PreviewCandidates {
    const name = toHostname(host);
    const isOurs = name.endsWith(this.#suffix);
    const rest = isOurs ? name.slice(0, -this.#suffix.length) : '';
    if (isOurs) {
      const route = this.#routes.get(rest);
      if (route?.hidden === false) return this.#keep(host, route);
    }
    const levels = this.#rules.levelsOf(name, isOurs ? this.#suffix : '');
    // Of hosts that only a wildcard fits there are without number: they are looked up each time.
    if (levels !== undefined && this.#rules.has(name)) return this.#match(this.#keep(host, levels), path, scheme);
    const otherwise =
      levels === undefined ? (isOurs ? 'unknown-worker' : 'unknown-host') : this.#match(levels, path, scheme);
    const previews = isOurs ? this.#previewsOf(rest) : [];
    return previews.length === 0 ? otherwise : { previews, otherwise };
  }

  #match(levels: HostLevels, path: string, scheme: 'http' | 'https'): Resolution {
    const rule = levels.find(toMatchedPath(path), scheme);
    if (rule === undefined) return 'unknown-host';
    if (rule.worker === null) return 'unknown-worker';
    return this.#routes.get(`${rule.worker}.${rule.account}`) ?? 'unknown-worker';
  }

  /** `rest` is the name below the base domain. A label may be cut at each of its dashes: the longest Worker's name first. */
  #previewsOf(rest: string): PreviewCandidate[] {
    const found: PreviewCandidate[] = [];
    const end = rest.indexOf('.');
    for (let at = rest.indexOf('-', 1); at !== -1 && at < end; at = rest.indexOf('-', at + 1)) {
      const route = this.#routes.get(rest.slice(at + 1));
      if (route?.previews === true) found.push({ route, label: rest.slice(0, at) });
    }
    return found;
  }

  #keep<Known extends WorkerRoute | HostLevels>(host: string, known: Known): Known {
    if (this.#byHost.size >= HOST_CACHE_ENTRIES) this.#byHost.clear();
    this.#byHost.set(host, known);
    return known;
  }
}

/** Undefined when there are none, so that the usual request costs a look. */
function toAssets(shares: readonly RouteShare[]): WorkerRoute['assets'] {
  const found = shares.flatMap(({ version, assets }) => (assets === undefined ? [] : [[version, assets] as const]));
  return found.length === 0 ? undefined : new Map(found);
}

function toHostname(host: string): string {
  const colon = host.lastIndexOf(':');
  // A port that is none would make the URL that the Worker sees unparsable.
  if (colon !== -1 && !/^\d{0,5}$/.test(host.slice(colon + 1))) return '';
  const name = (colon === -1 ? host : host.slice(0, colon)).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
