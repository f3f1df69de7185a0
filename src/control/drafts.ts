import type { IncomingHttpHeaders } from 'node:http';
import { createHash } from 'node:crypto';
import { amendForAsyncContext } from '../async-context/index.ts';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId } from '../ids.ts';
import { resolveLimits, type WorkerLimits } from '../limits.ts';
import type {
  Binding,
  ModuleRef,
  ModuleSource,
  StoredBinding,
  VersionAssets,
  VersionCode,
  VersionSpec,
} from '../model.ts';
import { toMapFiles } from '../source-maps/index.ts';
import {
  type Annotations,
  type KvStore,
  loadModules,
  type Source,
  type VersionDraft,
  type VersionRecord,
  type WorkerRecord,
} from '../store/index.ts';
import { checkAlias } from './alias.ts';
import { storeVersionAssets } from './assets/index.ts';
import type { Identity } from './auth.ts';
import type { ControlDeps } from './context.ts';
import { parseMetadata } from './metadata.ts';
import type { Form } from './multipart.ts';
import type { WorkerKey } from './names.ts';
import { capModules, parseModules, type UploadedModules } from './upload.ts';

/** A version to be: its blobs are stored, it has been started once, its secrets are not sealed yet. */
export interface Draft extends Omit<VersionDraft, 'secretsKey' | 'spec'> {
  readonly spec: Omit<VersionSpec, 'limits'>;
}

interface MakingRequest {
  readonly headers: IncomingHttpHeaders;
  readonly identity: Identity;
}

export interface UploadContext extends WorkerKey {
  readonly existing: WorkerRecord | undefined;
  /** Bindings of the newest version, opened: for those that are kept or inherited. */
  readonly previous: readonly Binding[];
  /** Static files of the newest version, for an upload that keeps them. */
  readonly keptAssets: VersionAssets | undefined;
  readonly source: Source;
  readonly author: string;
}

/** Makes drafts: whatever is wrong with a version is found here, before anything of it can be seen. */
export class Drafts {
  readonly #deps: ControlDeps;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  async ofUpload(
    form: Form,
    { account, worker, existing, previous, keptAssets, source, author }: UploadContext,
  ): Promise<Draft> {
    const createdOn = this.#time();
    const metadata = parseMetadata(form.metadata, { previous, today: createdOn.slice(0, 10) });
    await checkNamespaces(this.#deps.kv, { account, bindings: metadata.bindings, attempt: 'upload' });
    const alias = metadata.annotations['workers/alias'];
    if (alias !== undefined) await checkAlias(alias, { account, worker }, this.#deps.registry);
    const limits = await this.#limits({ account, worker }, metadata.limits, existing);
    const uploaded = await amendForAsyncContext(await parseModules(form, metadata), metadata.compatibilityFlags);
    const modules = capModules(uploaded.modules, limits.memoryMiB);
    const hasCode = modules.length > 0;
    const assets = await storeVersionAssets(
      { uploads: this.#deps.assets, blobs: this.#deps.blobs },
      { ...metadata, account, worker, kept: metadata.keepAssets ? keptAssets : undefined, isOnly: !hasCode },
    );
    if (!hasCode && assets === undefined) {
      throw new PlatformError('invalidUpload', 'Cannot upload: there are neither modules nor static assets');
    }
    const spec = {
      id: this.#deps.randomUUID() as VersionId,
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
    const started = await this.#check({ spec: { ...spec, limits }, modules }, uploaded);
    const refs = await this.#storeBlobs({ modules, sourceMaps: uploaded.sourceMaps });
    return {
      spec,
      limits: metadata.limits,
      ...refs,
      ...started,
      annotations: { 'workers/triggered_by': 'upload', ...metadata.annotations },
      etag: etagOf(refs.modules),
      source,
      author,
    };
  }

  /** The same code with other bindings. It is started as an upload is: code may look at its secrets at the top level. */
  async ofVersion(
    { number: _number, secretsKey: _key, uploadDigest: _digest, ...base }: VersionRecord,
    change: { bindings: readonly Binding[]; annotations: Annotations; source: Source; author: string },
  ): Promise<Draft> {
    const { blobs, registry, randomUUID } = this.#deps;
    const { account, worker } = base.spec;
    const existing = await registry.worker(account, worker);
    const limits = await this.#limits({ account, worker }, base.limits, existing);
    const { limits: _limits, ...old } = base.spec;
    const spec = {
      ...old,
      id: randomUUID() as VersionId,
      tag: change.annotations['workers/tag'] ?? '',
      createdOn: this.#time(),
      bindings: change.bindings,
    };
    const modules = await loadModules(blobs, base);
    const started = await this.#check({ spec: { ...spec, limits }, modules }, { modules, sourceMaps: [] });
    const { annotations, source, author } = change;
    return { ...base, ...started, spec, annotations, source, author };
  }

  async #limits(
    { account }: WorkerKey,
    own: Partial<WorkerLimits>,
    existing: WorkerRecord | undefined,
  ): Promise<WorkerLimits> {
    return resolveLimits((await this.#deps.registry.account(account))?.limits, own, existing?.limits);
  }

  async #check(
    code: VersionCode,
    sources: UploadedModules,
  ): Promise<{ startupMs: number; handlers: readonly string[] }> {
    if (code.modules.length === 0) return { startupMs: 0, handlers: [] }; // nothing but static assets
    const started = await this.#deps.platform.check(code);
    if (started.ok) return { startupMs: Math.round(started.startupMs), handlers: started.handlers };
    throw new PlatformError('invalidUpload', await this.#mapStack(code.spec, started.message, sources));
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

  #time(): string {
    return new Date(this.#deps.now()).toISOString();
  }
}

/** Throws `kvNamespaceNotFound` for a binding whose namespace is not, or not any more, in the account. */
export async function checkNamespaces(
  kv: Pick<KvStore, 'namespace'>,
  {
    account,
    bindings,
    attempt,
  }: { account: AccountId; bindings: readonly (Binding | StoredBinding)[]; attempt: string },
): Promise<void> {
  for (const binding of bindings) {
    if (binding.type !== 'kv_namespace') continue;
    const { name, namespaceId: namespace } = binding;
    // oxlint-disable-next-line no-await-in-loop -- a few, and the first that is wrong is enough
    if ((await kv.namespace({ account, namespace })) !== undefined) continue;
    throw new PlatformError(
      'kvNamespaceNotFound',
      `Cannot ${attempt}: binding '${name}': there is no KV namespace '${namespace.slice(0, 100)}' in this account`,
    );
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

/** Who asks for a change and with what, to be stored with it. */
export function makerOf({ headers, identity }: MakingRequest): { source: Source; author: string } {
  return { source: sourceOf(headers), author: identity.actor };
}

function sourceOf(headers: IncomingHttpHeaders): Source {
  return headers['user-agent']?.startsWith('wrangler/') === true ? 'wrangler' : 'api';
}
