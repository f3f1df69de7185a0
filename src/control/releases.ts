import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { PlatformError } from '../errors.ts';
import type { Binding, VersionShare } from '../model.ts';
import { openVersion, withFreshKeys } from '../secrets/index.ts';
import type { Annotations, CreateVersionOptions, RouteState, Source, VersionRecord } from '../store/index.ts';
import type { Identity } from './auth.ts';
import type { BodyHold } from './body-budget.ts';
import type { ControlDeps } from './context.ts';
import { checkNamespaces, type Draft, Drafts, makerOf } from './drafts.ts';
import { KeyedLock } from './keyed-lock.ts';
import { type Form, readForm } from './multipart.ts';
import type { WorkerKey } from './names.ts';
import { Rollbacks } from './rollbacks.ts';

const SAME_UPLOAD_MS = 60_000; // wrangler tries again within 5 s; a proxy in front may take longer to give up

export interface UploadRequest extends WorkerKey {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable | undefined;
  /** Who sends it. */
  readonly identity: Identity;
  readonly hold?: BodyHold | undefined;
}

export interface BindingsChange {
  /** The Worker's bindings after the change, from those of its newest version. */
  readonly change: (bindings: readonly Binding[]) => readonly Binding[];
  /** Gives the new version all traffic, which the newest one must have. */
  readonly deploy: boolean;
  readonly annotations: Annotations;
  readonly source: Source;
  readonly author: string;
}

export interface DeploymentChange {
  readonly shares: readonly VersionShare[];
  readonly annotations: Annotations;
  readonly source: Source;
  readonly author: string;
  /** Also back to a version from before a secret was changed. */
  readonly force?: boolean;
}

export interface Deployed extends Omit<DeploymentChange, 'force'> {
  readonly id: string;
  readonly createdOn: string;
}

/**
 * Everything that makes versions or changes which of them serve.
 *
 * An upload is parsed, then started once in a cell, then its blobs are stored, then the registry commits: whatever
 * fails on the way leaves nothing visible. A deployment is committed first and published after: the registry is the
 * truth, from which the next publication or the next start takes its routes.
 */
export class Releases {
  readonly #deps: ControlDeps;
  readonly #drafts: Drafts;
  readonly #rollbacks: Rollbacks;
  // From what a version is made of to its publication, one Worker's changes go one after another. Otherwise one of two
  // secrets that are put at the same time would be lost, or of two deployments one could be committed last and
  // published first, and the gateways would serve the other.
  readonly #locks = new KeyedLock();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#drafts = new Drafts(deps);
    this.#rollbacks = new Rollbacks(deps);
  }

  /** Stores a version of an existing Worker without deploying it. */
  async upload(request: UploadRequest): Promise<VersionRecord> {
    const { registry } = this.#deps;
    if ((await registry.worker(request.account, request.worker)) === undefined) throw workerNotFound(request);
    const form = await readForm(request.headers, request.body, { hold: request.hold });
    return this.#locks.run(keyOf(request), async () => {
      using _hold = this.#deps.blobs.hold(); // what the draft stores, until the version names it
      const newest = await this.#newest(request);
      const uploadDigest = this.#digest('version', form, request);
      if (newest !== undefined && this.#isSame(newest, uploadDigest)) return newest;
      const draft = await this.#draft(form, request, newest);
      return this.#commitAlone({ ...draft, uploadDigest });
    });
  }

  /** Runs what must not meet a deployment or the removal of the same Worker. */
  locked<T>(key: WorkerKey, task: () => Promise<T>): Promise<T> {
    return this.#locks.run(keyOf(key), task);
  }

  /** Stores a version, of a new Worker if need be, and gives it all traffic. Resolves once it serves. */
  async uploadAndDeploy(request: UploadRequest): Promise<VersionRecord> {
    const { registry, randomUUID } = this.#deps;
    const form = await readForm(request.headers, request.body, { hold: request.hold });
    return this.#locks.run(keyOf(request), async () => {
      using _hold = this.#deps.blobs.hold();
      const newest = await this.#newest(request);
      const uploadDigest = this.#digest('deployment', form, request);
      if (newest !== undefined && this.#isSame(newest, uploadDigest)) {
        const state = await registry.route(request.account, request.worker);
        if (state !== undefined && servesAll(newest, state)) {
          await this.#publish(state); // what failed of the first one may have been just this
          return newest;
        }
      }
      const draft = await this.#draft(form, request, newest);
      const { source, annotations } = draft;
      // wrangler says after the upload whether it wants the default URL. Until then the Worker is hidden: otherwise one
      // meant to be private would be public for a moment. Other clients say nothing.
      const createWorker = { tag: randomUUID().replaceAll('-', ''), subdomainEnabled: source !== 'wrangler' };
      return this.#commitAndDeploy({ ...draft, uploadDigest }, { annotations, createWorker });
    });
  }

  /**
   * Makes a version of the newest one's code with other bindings, which is what changing a secret is. Throws
   * `noVersions`, and `newestNotDeployed` when it is to be deployed and the newest one does not have all traffic.
   */
  async changeBindings(
    key: WorkerKey,
    { change, deploy, annotations, source, author }: BindingsChange,
  ): Promise<VersionRecord> {
    const { registry } = this.#deps;
    return this.#locks.run(keyOf(key), async () => {
      const newest = await this.#newest(key);
      if (newest === undefined) throw await this.#noVersions(key);
      if (deploy && !servesAll(newest, await registry.route(key.account, key.worker))) {
        throw new PlatformError(
          'newestNotDeployed',
          `The newest version of '${key.worker}' (${newest.spec.id}) does not have all traffic. Deploy it first, or ` +
            'change the secret of a version that is not deployed (wrangler versions secret put)',
        );
      }
      const bindings = change(await this.#open(newest));
      const draft = await this.#drafts.ofVersion(newest, { bindings, annotations, source, author });
      return deploy ? this.#commitAndDeploy(draft, { annotations }) : this.#commitAlone(draft);
    });
  }

  /** Switches a Worker's traffic to versions it has. Resolves once they serve. */
  async deploy(key: WorkerKey, { force = false, ...change }: DeploymentChange): Promise<Deployed> {
    return this.#locks.run(keyOf(key), () => this.#deploy(key, change, force));
  }

  /** Gives all traffic back to a version: without `version`, to the one that had it before the current deployment. */
  async rollback(
    key: WorkerKey,
    { version, ...change }: Omit<DeploymentChange, 'shares'> & { version?: VersionRecord['spec']['id'] | undefined },
  ): Promise<Deployed> {
    return this.#locks.run(keyOf(key), async () => {
      const target = version ?? (await this.#rollbacks.previous(key));
      const { force = false, ...rest } = change;
      return this.#deploy(key, { ...rest, shares: [{ version: target, percentage: 100 }] }, force);
    });
  }

  async remove({ account, worker }: WorkerKey): Promise<void> {
    await this.#locks.run(keyOf({ account, worker }), async () => {
      await this.#deps.registry.deleteWorker(account, worker);
      this.#deps.tails.endOf({ account, worker });
      this.#deps.retention.collectSoon();
      await this.#afterCommit({ account, worker }, () => this.#deps.platform.withdraw(account, worker));
    });
  }

  /** Shows or hides a Worker at its default URL. */
  async setSubdomain(
    { account, worker }: WorkerKey,
    change: { subdomainEnabled?: boolean; previewsEnabled?: boolean },
  ): Promise<void> {
    const { registry } = this.#deps;
    await this.#locks.run(keyOf({ account, worker }), async () => {
      const before = await registry.route(account, worker);
      await registry.updateWorker(account, worker, { settings: change, modifiedOn: this.#time() });
      const after = await registry.route(account, worker);
      if (after !== undefined && after.revision !== before?.revision) await this.#publish(after);
    });
  }

  async #deploy(key: WorkerKey, change: Omit<DeploymentChange, 'force'>, force: boolean): Promise<Deployed> {
    const { registry, randomUUID } = this.#deps;
    await this.#checkStillBound(key, change.shares);
    const isRollback = await this.#rollbacks.check(key, change.shares, { force });
    const annotations = isRollback ? { 'workers/triggered_by': 'rollback', ...change.annotations } : change.annotations;
    const deployment = { ...change, annotations, id: randomUUID(), createdOn: this.#time() };
    await this.#publish(await registry.deploy(key.account, key.worker, deployment));
    return deployment;
  }

  /** A namespace may have been deleted since a version was made. Those that serve already may go on. */
  async #checkStillBound({ account, worker }: WorkerKey, shares: readonly VersionShare[]): Promise<void> {
    const { registry, kv } = this.#deps;
    const serving = new Set((await registry.route(account, worker))?.route.shares.map(({ version }) => version));
    for (const { version: id } of shares) {
      if (serving.has(id)) continue;
      // oxlint-disable-next-line no-await-in-loop -- two, most often
      const version = await registry.version(account, worker, id);
      const bindings = version?.spec.bindings ?? [];
      // oxlint-disable-next-line no-await-in-loop
      await checkNamespaces(kv, { account, bindings, attempt: `deploy version ${id}` });
    }
  }

  async #draft(form: Form, request: UploadRequest, newest: VersionRecord | undefined): Promise<Draft> {
    const { account, worker } = request;
    return this.#drafts.ofUpload(form, {
      account,
      worker,
      existing: await this.#deps.registry.worker(account, worker),
      previous: newest === undefined ? [] : await this.#open(newest),
      keptAssets: newest?.spec.assets,
      ...makerOf(request),
    });
  }

  /** Seals the draft's secrets and stores it. */
  async #commit(
    draft: Draft,
    options: CreateVersionOptions = {},
  ): Promise<{ version: VersionRecord; deployed?: RouteState }> {
    const { registry, vault } = this.#deps;
    return withFreshKeys(async () => {
      const { bindings, secretsKey } = await vault.seal(draft.spec, draft.spec.bindings);
      const sealed = { ...draft, spec: { ...draft.spec, bindings }, ...(secretsKey !== undefined && { secretsKey }) };
      return registry.createVersion(sealed, options);
    });
  }

  /** A version that nothing serves but its preview URL. */
  async #commitAlone(draft: Draft): Promise<VersionRecord> {
    const { version } = await this.#commit(draft);
    await this.#afterCommit(draft.spec, () => this.#deps.platform.previewsChanged(draft.spec));
    this.#deps.retention.trimSoon(draft.spec.account);
    return version;
  }

  async #commitAndDeploy(
    draft: Draft,
    { annotations, ...options }: Omit<CreateVersionOptions, 'deploy'> & { annotations: Annotations },
  ): Promise<VersionRecord> {
    const { createdOn } = draft.spec;
    const { source, author } = draft;
    const deploy = {
      id: this.#deps.randomUUID(),
      annotations,
      source,
      ...(author !== undefined && { author }),
      createdOn,
    };
    const { version, deployed } = await this.#commit(draft, { ...options, deploy });
    await this.#publish(deployed!);
    return version;
  }

  async #publish({ route }: RouteState): Promise<void> {
    await this.#afterCommit(route, () => this.#deps.platform.publish(route));
    this.#deps.retention.trimSoon(route.account);
  }

  /** Whatever goes wrong here, the registry has committed: the answer must not read as if nothing had happened. */
  async #afterCommit({ account, worker }: WorkerKey, change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#deps.log('error', 'a committed route change did not reach the gateways', { account, worker, error });
      if (error instanceof PlatformError) throw error;
      throw new PlatformError('overloaded', `The change of '${worker}' is stored, but does not take effect yet`, {
        cause: error,
      });
    }
  }

  /** Undefined when there is no such Worker, or no version of it. */
  async #newest({ account, worker }: WorkerKey): Promise<VersionRecord | undefined> {
    const { registry } = this.#deps;
    if ((await registry.worker(account, worker)) === undefined) return undefined;
    return (await registry.listVersions(account, worker, { limit: 1 }))[0];
  }

  async #open({ spec }: VersionRecord): Promise<readonly Binding[]> {
    return (await openVersion(this.#deps, spec.id))?.spec.bindings ?? [];
  }

  /**
   * Keyed, since an upload may carry secrets: nobody who has the store can try values out. The token is in it because two people
   * may well upload the same.
   */
  #digest(kind: string, { metadata, files }: Form, { account, worker, identity }: UploadRequest): string {
    const contents = files.flatMap(({ name, mimeType, content }) => [name, mimeType, content]);
    return this.#deps.vault.fingerprint([kind, account, worker, identity.tokenId, metadata, ...contents]);
  }

  /** Only the newest: what somebody did in between, a secret say, must not be undone by an old version. */
  #isSame({ uploadDigest, spec }: VersionRecord, digest: string): boolean {
    return uploadDigest === digest && this.#deps.now() - Date.parse(spec.createdOn) < SAME_UPLOAD_MS;
  }

  async #noVersions({ account, worker }: WorkerKey): Promise<PlatformError> {
    if ((await this.#deps.registry.worker(account, worker)) === undefined) return workerNotFound({ account, worker });
    return new PlatformError('noVersions', `Worker '${worker}' has no version yet`);
  }

  #time(): string {
    return new Date(this.#deps.now()).toISOString();
  }
}

export function workerNotFound({ account, worker }: WorkerKey): PlatformError {
  return new PlatformError('workerNotFound', `Account '${account}' has no Worker named '${worker}'`);
}

function servesAll({ spec }: VersionRecord, state: RouteState | undefined): boolean {
  const serving = state?.route.shares.filter(({ percentage }) => percentage > 0) ?? [];
  return serving.length === 1 && serving[0]?.version === spec.id;
}

function keyOf({ account, worker }: WorkerKey): string {
  return `${account}/${worker}`;
}
