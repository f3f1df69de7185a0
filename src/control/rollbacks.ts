/** Going back to an earlier version: which one, and whether it would bring old values of secrets back. */
import { PlatformError } from '../errors.ts';
import type { VersionId } from '../ids.ts';
import type { VersionShare } from '../model.ts';
import { type OpenVersion, openVersion } from '../secrets/index.ts';
import type { ControlDeps } from './context.ts';
import type { WorkerKey } from './names.ts';
import { changedSecrets } from './secret-changes.ts';

const MAX_LOOKED_AT = 100; // deployments

type Deps = Pick<ControlDeps, 'registry' | 'vault'>;

export class Rollbacks {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The version that had all traffic before the current deployment, and still exists. Throws `versionNotFound`. */
  async previous({ account, worker }: WorkerKey): Promise<VersionId> {
    const { registry } = this.#deps;
    const [current, ...earlier] = await registry.listDeployments(account, worker, { limit: MAX_LOOKED_AT });
    const serving = new Set(current?.shares.map(({ version }) => version));
    for (const { shares } of earlier) {
      const [only] = shares.filter(({ percentage }) => percentage === 100);
      if (only === undefined || serving.has(only.version)) continue;
      // oxlint-disable-next-line no-await-in-loop -- the first that is there; most often the first at all
      if ((await registry.version(account, worker, only.version)) !== undefined) return only.version;
    }
    throw new PlatformError('versionNotFound', `Worker '${worker}' has no earlier version to roll back to`);
  }

  /**
   * Whether these shares are a rollback: all traffic to one version that is older than what serves. Throws
   * `secretsChanged` when that has other secrets, unless it is forced.
   */
  async check(key: WorkerKey, shares: readonly VersionShare[], { force }: { force: boolean }): Promise<boolean> {
    const [target] = shares.filter(({ percentage }) => percentage > 0);
    const state = await this.#deps.registry.route(key.account, key.worker);
    if (state === undefined || target?.percentage !== 100) return false;
    if (state.route.shares.some(({ version }) => version === target.version)) return false;
    const [then, ...now] = await Promise.all([
      this.#find(key, target.version),
      ...state.route.shares.map(({ version }) => this.#find(key, version)),
    ]);
    const newest = now.reduce((a, b) => ((b?.number ?? 0) > (a?.number ?? 0) ? b : a), undefined);
    if (then === undefined || newest === undefined || then.number > newest.number) return false;
    const changed = force ? [] : changedSecrets(then.spec.bindings, newest.spec.bindings);
    if (changed.length === 0) return true;
    // The last sentence is what `wrangler rollback` looks for, and takes the names out of what follows it. What comes
    // before it is for those who meet the error elsewhere: `wrangler versions deploy` prints it and gives up.
    throw new PlatformError(
      'secretsChanged',
      `Version ${target.version} has other secrets than what serves. To go back to it with the secrets of then, use ` +
        `wrangler rollback ${target.version}, or ask with ?force=true. ` +
        `The following secrets have changed: ${changed.join(', ')}`,
    );
  }

  async #find({ account, worker }: WorkerKey, id: VersionId): Promise<OpenVersion | undefined> {
    const version = await openVersion(this.#deps, id);
    return version?.spec.account === account && version.spec.worker === worker ? version : undefined;
  }
}
