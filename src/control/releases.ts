import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { amendForAsyncContext } from '../async-context/index.ts';
import { PlatformError } from '../errors.ts';
import type { VersionId } from '../ids.ts';
import { resolveLimits } from '../limits.ts';
import type { ModuleRef, ModuleSource, VersionShare, VersionSpec } from '../model.ts';
import { toMapFiles } from '../source-maps/index.ts';
import type { Annotations, RouteState, Source, VersionDraft, VersionRecord } from '../store/index.ts';
import { checkAlias } from './alias.ts';
import { storeVersionAssets } from './assets/index.ts';
import type { ControlDeps } from './context.ts';
import { KeyedLock } from './keyed-lock.ts';
import { parseMetadata } from './metadata.ts';
import { readForm } from './multipart.ts';
import type { WorkerKey } from './names.ts';
import { capModules, parseModules, type UploadedModules } from './upload.ts';

/** Of a version that has no code. */
const NOT_STARTED = { ok: true, startupMs: 0, handlers: [] } as const;

export interface UploadRequest extends WorkerKey {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable | undefined;
}

/**
 * Everything that makes versions or changes which of them serve.
 *
 * An upload is parsed, then started once in a cell, then its blobs are stored, then the registry commits: whatever
 * fails on the way leaves nothing visible. A deployment is committed first and published after: the registry is the
 * truth, from which the next publication or the next start takes its routes.
 */
export class Releases {
  #deps: ControlDeps;
  // Commit and publication of one Worker go together: otherwise of two deployments at the same time one could
  // commit last and be published first, and the gateways would serve the other.
  #locks = new KeyedLock();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  /** Stores a version of an existing Worker without deploying it. */
  async upload(request: UploadRequest): Promise<VersionRecord> {
    const draft = await this.#prepare(request, { mayCreate: false });
    const { version } = await this.#deps.registry.createVersion(draft);
    await this.#afterCommit(request, () => this.#deps.platform.previewsChanged(request));
    return version;
  }

  /** Runs what must not meet a deployment or the removal of the same Worker. */
  locked<T>(key: WorkerKey, task: () => Promise<T>): Promise<T> {
    return this.#locks.run(keyOf(key), task);
  }

  /** Stores a version, of a new Worker if need be, and gives it all traffic. Resolves once it serves. */
  async uploadAndDeploy(request: UploadRequest): Promise<VersionRecord> {
    const { registry, randomUUID } = this.#deps;
    const draft = await this.#prepare(request, { mayCreate: true });
    const { createdOn } = draft.spec;
    return this.#locks.run(keyOf(request), async () => {
      const { version, deployed } = await registry.createVersion(draft, {
        createWorker: {
          tag: randomUUID().replaceAll('-', ''),
          // wrangler says after the upload whether it wants the default URL. Until then the Worker is hidden:
          // otherwise one meant to be private would be public for a moment. Other clients say nothing.
          subdomainEnabled: draft.source !== 'wrangler',
        },
        deploy: { id: randomUUID(), annotations: draft.annotations, source: draft.source, createdOn },
      });
      await this.#publish(deployed!);
      return version;
    });
  }

  /** Switches a Worker's traffic to versions it has. Resolves with the deployment's id once they serve. */
  async deploy(
    key: WorkerKey,
    change: { shares: readonly VersionShare[]; annotations: Annotations; source: Source },
  ): Promise<{ id: string; createdOn: string }> {
    const { registry, randomUUID, now } = this.#deps;
    const id = randomUUID();
    const createdOn = new Date(now()).toISOString();
    return this.#locks.run(keyOf(key), async () => {
      const deployed = await registry.deploy(key.account, key.worker, { ...change, id, createdOn });
      await this.#publish(deployed);
      return { id, createdOn };
    });
  }

  async remove({ account, worker }: WorkerKey): Promise<void> {
    await this.#locks.run(keyOf({ account, worker }), async () => {
      await this.#deps.registry.deleteWorker(account, worker);
      this.#deps.tails.endOf({ account, worker });
      await this.#afterCommit({ account, worker }, () => this.#deps.platform.withdraw(account, worker));
    });
  }

  /** Shows or hides a Worker at its default URL. */
  async setSubdomain(
    { account, worker }: WorkerKey,
    change: { subdomainEnabled?: boolean; previewsEnabled?: boolean },
  ): Promise<void> {
    const { registry, now } = this.#deps;
    await this.#locks.run(keyOf({ account, worker }), async () => {
      const before = await registry.route(account, worker);
      await registry.updateWorker(account, worker, {
        settings: change,
        modifiedOn: new Date(now()).toISOString(),
      });
      const after = await registry.route(account, worker);
      if (after !== undefined && after.revision !== before?.revision) await this.#publish(after);
    });
  }

  async #publish({ route }: RouteState): Promise<void> {
    await this.#afterCommit(route, () => this.#deps.platform.publish(route));
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

  /** From the form to a draft whose blobs are stored and which has been started once. */
  async #prepare(request: UploadRequest, { mayCreate }: { mayCreate: boolean }): Promise<VersionDraft> {
    const { registry, platform, now, randomUUID } = this.#deps;
    const { account, worker, headers } = request;
    const existing = await registry.worker(account, worker);
    if (existing === undefined && !mayCreate) throw workerNotFound(request);
    const form = await readForm(headers, request.body);

    const [newest] = existing === undefined ? [] : await registry.listVersions(account, worker, { limit: 1 });
    const createdOn = new Date(now()).toISOString();
    const metadata = parseMetadata(form.metadata, {
      previous: newest?.spec.bindings ?? [],
      today: createdOn.slice(0, 10),
    });
    const alias = metadata.annotations['workers/alias'];
    if (alias !== undefined) await checkAlias(alias, request, registry);
    const accountLimits = (await registry.account(account))?.limits;
    const limits = resolveLimits(accountLimits, metadata.limits, existing?.limits);
    const uploaded = await amendForAsyncContext(await parseModules(form, metadata), metadata.compatibilityFlags);
    const modules = capModules(uploaded.modules, limits.memoryMiB);
    const hasCode = modules.length > 0;
    const assets = await storeVersionAssets(
      { uploads: this.#deps.assets, blobs: this.#deps.blobs },
      { ...metadata, account, worker, kept: metadata.keepAssets ? newest?.spec.assets : undefined, isOnly: !hasCode },
    );
    if (!hasCode && assets === undefined) {
      throw new PlatformError('invalidUpload', 'Cannot upload: there are neither modules nor static assets');
    }
    const spec: Omit<VersionSpec, 'limits'> = {
      id: randomUUID() as VersionId,
      account,
      worker,
      tag: metadata.annotations['workers/tag'] ?? '',
      createdOn,
      mainModule: metadata.mainModule,
      bindings: metadata.bindings,
      compatibilityDate: metadata.compatibilityDate,
      compatibilityFlags: metadata.compatibilityFlags,
      ...(assets && { assets }),
    };
    const started = hasCode ? await platform.check({ spec: { ...spec, limits }, modules }) : NOT_STARTED;
    if (!started.ok) {
      const message = await this.#mapStack(spec, started.message, uploaded);
      throw new PlatformError('invalidUpload', message);
    }

    const refs = await this.#storeBlobs({ modules, sourceMaps: uploaded.sourceMaps });
    return {
      spec,
      limits: metadata.limits,
      ...refs,
      annotations: { 'workers/triggered_by': 'upload', ...metadata.annotations },
      startupMs: Math.round(started.startupMs),
      handlers: started.handlers,
      etag: etagOf(refs.modules),
      source: sourceOf(headers),
    };
  }

  /** Positions in terms of the source, by the maps of the same upload. */
  async #mapStack(
    { id, account }: Pick<VersionSpec, 'account' | 'id'>,
    text: string,
    { modules, sourceMaps }: UploadedModules,
  ): Promise<string> {
    const files = toMapFiles(modules, sourceMaps);
    const [mapped] = await this.#deps.mapper.map({ owner: account, key: id, texts: [text], files });
    return mapped ?? text;
  }

  async #storeBlobs({ modules, sourceMaps }: UploadedModules): Promise<{
    modules: ModuleRef[];
    sourceMaps: ModuleRef[];
  }> {
    const all = [...modules, ...sourceMaps];
    const hashes = await this.#deps.blobs.putMany(all.map(({ content }) => content));
    const refs = all.map((source, i) => toRef(source, hashes[i]!));
    return { modules: refs.slice(0, modules.length), sourceMaps: refs.slice(modules.length) };
  }
}

export function toRef({ name, kind, content }: ModuleSource, sha256: ModuleRef['sha256']): ModuleRef {
  return { name, kind, sha256, bytes: content.byteLength };
}

/** Of the code alone: equal for two uploads of the same modules. */
export function etagOf(modules: readonly ModuleRef[]): string {
  const lines = modules.map(({ name, kind, sha256 }) => JSON.stringify([name, kind, sha256]));
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

export function sourceOf(headers: IncomingHttpHeaders): Source {
  return headers['user-agent']?.startsWith('wrangler/') === true ? 'wrangler' : 'api';
}

export function workerNotFound({ account, worker }: WorkerKey): PlatformError {
  return new PlatformError('workerNotFound', `Account '${account}' has no Worker named '${worker}'`);
}

function keyOf({ account, worker }: WorkerKey): string {
  return `${account}/${worker}`;
}
