/**
 * Route patterns and custom domains: which of them a URL is for.
 *
 * The order, most specific first: the host itself; `*host`; `*.parent` and `*parent` of its nearest parent, and so on
 * upwards. Within one of these the longest path (path-rules.ts). A pattern whose path does not fit is passed over.
 */
import type { AccountId, WorkerName } from '../ids.ts';
import type { HostRule } from '../model.ts';
import { PathRules } from './path-rules.ts';

const WILDCARDS = ['none', 'subdomains', 'all'] as const satisfies readonly HostRule['wildcard'][];

/** The rules that may apply to one host, most specific first. */
export class HostLevels {
  readonly levels: readonly PathRules[];

  constructor(levels: readonly PathRules[]) {
    this.levels = levels;
  }

  find(path: string, scheme: 'http' | 'https'): HostRule | undefined {
    for (const level of this.levels) {
      const rule = level.find(path, scheme);
      if (rule !== undefined) return rule;
    }
    return undefined;
  }
}

export class HostRules {
  readonly #byId = new Map<string, HostRule>();
  /** By wildcard, then by host. */
  readonly #hosts = {
    none: new Map<string, PathRules>(),
    subdomains: new Map<string, PathRules>(),
    all: new Map<string, PathRules>(),
  };

  get size(): number {
    return this.#byId.size;
  }

  set(rule: HostRule): void {
    this.remove(rule.id);
    this.#byId.set(rule.id, rule);
    const hosts = this.#hosts[rule.wildcard];
    let rules = hosts.get(rule.host);
    if (rules === undefined) hosts.set(rule.host, (rules = new PathRules()));
    rules.add(rule);
  }

  remove(id: string): void {
    const rule = this.#byId.get(id);
    if (rule === undefined) return;
    this.#byId.delete(id);
    const hosts = this.#hosts[rule.wildcard];
    const rules = hosts.get(rule.host);
    rules?.remove(rule);
    if (rules?.isEmpty === true) hosts.delete(rule.host);
  }

  /** Those of an account, or of one of its Workers. */
  removeOf(account: AccountId, worker?: WorkerName): void {
    for (const rule of this.#byId.values()) {
      if (rule.account === account && (worker === undefined || rule.worker === worker)) this.remove(rule.id);
    }
  }

  clear(): void {
    this.#byId.clear();
    for (const wildcard of WILDCARDS) this.#hosts[wildcard].clear();
  }

  /** Whether a rule names this very host. */
  has(name: string): boolean {
    return this.#hosts.none.has(name);
  }

  /**
   * What may apply to a host, in lower case. `within`: only wildcards below this name, a suffix that begins with a dot.
   * A host that no rule is for costs a look-up for each of its parts, and leaves nothing behind.
   */
  levelsOf(name: string, within = ''): HostLevels | undefined {
    if (this.#byId.size === 0) return undefined;
    const levels: PathRules[] = [];
    const { none, subdomains, all } = this.#hosts;
    const exact = none.get(name);
    if (exact !== undefined) levels.push(exact);
    let host = name;
    for (let isSelf = true; host.endsWith(within) && host !== ''; isSelf = false) {
      const below = isSelf ? undefined : subdomains.get(host);
      if (below !== undefined) levels.push(below);
      const both = all.get(host);
      if (both !== undefined) levels.push(both);
      const dot = host.indexOf('.');
      host = dot === -1 ? '' : host.slice(dot + 1);
    }
    return levels.length === 0 ? undefined : new HostLevels(levels);
  }
}
