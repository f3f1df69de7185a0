import { PlatformError } from '../errors.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { HostRule } from '../model.ts';
import type { HostRuleDraft, RuleChange, Zone } from '../store/index.ts';
import type { ControlDeps } from './context.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { WorkerKey } from './names.ts';
import { Ownership } from './ownership.ts';
import { workerNotFound, type Releases } from './releases.ts';
import { toRuleDraft } from './rule-draft.ts';

const ONE_AT_A_TIME = 'rules';

/** Everything that changes routes, custom domains and who owns host names. */
export class HostRuleControl {
  readonly ownership: Ownership;
  readonly #deps: ControlDeps;
  readonly #releases: Releases;
  // Commit and publication go together, as with deployments (releases.ts); rules of several Workers hang together.
  readonly #lock = new KeyedLock();

  constructor(deps: ControlDeps, releases: Releases) {
    this.#deps = deps;
    this.#releases = releases;
    this.ownership = new Ownership(deps);
  }

  /** Makes these the Worker's routes, or its custom domains. Resolves when gateways follow them. */
  async replace(
    { account, worker }: WorkerKey,
    kind: HostRule['kind'],
    { patterns, takeOver = false }: { patterns: readonly string[]; takeOver?: boolean },
  ): Promise<HostRuleDraft[]> {
    const { registry, hostnames } = this.#deps;
    if ((await registry.worker(account, worker)) === undefined) throw workerNotFound({ account, worker });
    const drafts = patterns.map((pattern) => this.#draft({ account, worker }, kind, pattern));
    const rules = [...new Map(drafts.map((draft) => [draft.id, draft])).values()];
    await this.#requireAll(rules);
    await this.#releases.locked({ account, worker }, () =>
      this.#commit(() => hostnames.replaceRules({ account, worker, kind }, rules, { takeOver })),
    );
    return rules;
  }

  /** Adds one. Without a Worker: what it fits is for none. */
  async add(
    { account, worker }: { account: AccountId; worker: WorkerName | null },
    kind: HostRule['kind'],
    pattern: string,
  ): Promise<HostRuleDraft> {
    const rule = this.#draft({ account, worker }, kind, pattern);
    await this.#requireAll([rule]);
    const put = (): Promise<void> => this.#commit(() => this.#deps.hostnames.putRule(rule));
    await (worker === null ? put() : this.#releases.locked({ account, worker }, put));
    return rule;
  }

  async remove(account: AccountId, id: string): Promise<void> {
    await this.#commit(() => this.#deps.hostnames.deleteRule(account, id));
  }

  async deleteZone(account: AccountId, name: string, options: { force: boolean }): Promise<void> {
    await this.#commit(() => this.#deps.hostnames.deleteZone(account, name, options));
  }

  /** By the word of the operator. */
  async grantZone(account: AccountId, name: string): Promise<Zone> {
    this.ownership.requireOutside(name);
    const provenOn = new Date(this.#deps.now()).toISOString();
    return this.#deps.hostnames.proveZone({ account, name, proof: 'operator', provenOn });
  }

  #draft(
    key: { account: AccountId; worker: WorkerName | null },
    kind: HostRule['kind'],
    pattern: string,
  ): HostRuleDraft {
    const { baseDomain, now } = this.#deps;
    return toRuleDraft({ ...key, kind, pattern, createdOn: new Date(now()).toISOString() }, baseDomain);
  }

  async #requireAll(rules: readonly HostRuleDraft[]): Promise<void> {
    for (const rule of rules) if (rule.isOwn) await this.#requireUnused(rule); // oxlint-disable-line no-await-in-loop
    const hosts = new Set(rules.filter(({ isOwn }) => !isOwn).map(({ host }) => host));
    // The shortest first: the proof of a domain is one for all that is below it.
    for (const host of [...hosts].toSorted((a, b) => a.length - b.length)) {
      // oxlint-disable-next-line no-await-in-loop -- the first that is not proven ends it
      await this.ownership.require(rules[0]!.account, host);
    }
  }

  /** Another Worker's default URL would go before the rule: better said than found out. */
  async #requireUnused({ account, worker, host, wildcard, pattern }: HostRuleDraft): Promise<void> {
    const [name = '', ...rest] = host.split('.');
    if (wildcard !== 'none' || name === worker || rest.join('.') !== `${account}.${this.#deps.baseDomain}`) return;
    if ((await this.#deps.registry.worker(account, name as WorkerName)) === undefined) return;
    throw new PlatformError('hostnameTaken', `Cannot use ${pattern}: it is the default URL of the Worker '${name}'`);
  }

  #commit(change: () => Promise<RuleChange>): Promise<void> {
    return this.#lock.run(ONE_AT_A_TIME, async () => {
      const rules = await change();
      try {
        await this.#deps.platform.setRules(rules);
      } catch (error) {
        this.#deps.log('error', 'a committed change of routes did not reach the gateways', { error });
        throw new PlatformError('overloaded', 'The routes are stored, but do not take effect yet', { cause: error });
      }
    });
  }
}
