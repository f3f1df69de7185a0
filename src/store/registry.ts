/**
 * The Registry port: which accounts, Workers, versions and deployments exist, and which versions serve.
 *
 * Shaped for two engines. SQLite serves one machine; a JetStream adapter can follow, because one deployment is one
 * atomic unit (immutable version, immutable deployment, then the route is flipped) and because the only thing other
 * machines follow is the feed of routes, with a cursor to resume from.
 */
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { WorkerLimits } from '../limits.ts';
import type { ModuleRef, Route, StoredSpec, VersionShare } from '../model.ts';
import type { DataKeyId } from './secret-keys.ts';

/** Workers of a suspended account answer nobody, and its tokens are refused. */
export type AccountStatus = 'active' | 'suspended';

export interface Account {
  readonly id: AccountId;
  readonly name: string;
  readonly createdOn: string;
  readonly status: AccountStatus;
  /** What the operator set for every Worker of the account. */
  readonly limits: Partial<WorkerLimits>;
  readonly settings: AccountSettings;
}

/** What the operator set for an account beside its limits. What is absent is as usual. */
export interface AccountSettings {
  /** Hosts that its Workers may reach; all, when absent. Patterns of broker/host-policy.ts. */
  readonly egressAllow?: readonly string[];
  /** Those that they may not. */
  readonly egressDeny?: readonly string[];
  /** Level of trust: accounts of different levels never share a cell. `default`, when absent. */
  readonly cordon?: string;
  /** `process`: it has cells of its own. */
  readonly isolation?: 'process';
  /** What it may use, by the calendar of UTC; without limit, when absent. CPU time includes that of starts. */
  readonly dailyRequests?: number;
  readonly monthlyCpuMs?: number;
  /** What becomes of requests beyond that: `open`, the usual, serves them; `closed` refuses them. */
  readonly overQuota?: 'open' | 'closed';
  /** Where warnings go. */
  readonly quotaWebhook?: string;
  /** Its price plan; the one that the operator's file says, when absent. */
  readonly plan?: string;
}

export type AccountSettingsPatch = { readonly [Name in keyof AccountSettings]: AccountSettings[Name] | undefined };

/** What belongs to a Worker rather than to one of its versions. */
export interface WorkerSettings {
  /** Whether the Worker answers at its default URL; otherwise its route is `hidden`. */
  readonly subdomainEnabled: boolean;
  /** Whether its versions answer at preview URLs. */
  readonly previewsEnabled: boolean;
  readonly tags: readonly string[];
  /** Kept as sent; nothing reads it yet. */
  readonly observability?: Readonly<Record<string, unknown>>;
}

export interface WorkerRecord {
  readonly account: AccountId;
  readonly name: WorkerName;
  /** Tells a Worker from an earlier, deleted one of the same name. */
  readonly tag: string;
  readonly createdOn: string;
  readonly modifiedOn: string;
  readonly settings: WorkerSettings;
  /** What the operator set for this Worker. Stronger than what its versions ask for. */
  readonly limits: Partial<WorkerLimits>;
}

/** Who made a version or a deployment: shown by `wrangler versions list`. */
export type Source = 'wrangler' | 'api';
export type Annotations = Readonly<Record<string, string>>;

export interface VersionDraft {
  readonly spec: Omit<StoredSpec, 'limits'>;
  /** What the secrets among the bindings are sealed with. */
  readonly secretsKey?: DataKeyId;
  /** What the version itself asks for (`limits` in the Wrangler configuration). */
  readonly limits: Partial<WorkerLimits>;
  readonly modules: readonly ModuleRef[];
  /** Kept for reading stack traces; never sent to a cell. `kind` is always `data`. */
  readonly sourceMaps: readonly ModuleRef[];
  readonly annotations: Annotations;
  readonly startupMs: number;
  readonly handlers: readonly string[];
  readonly etag: string;
  readonly source: Source;
  /** Whose token made it. Absent in what builds stored that did not note it. */
  readonly author?: string;
  /** Equal for an upload that is sent again. */
  readonly uploadDigest?: string;
}

/** One upload, immutable but for `spec.limits`, which is worked out at each reading. */
export interface VersionRecord extends Omit<VersionDraft, 'spec'> {
  /** `limits` here is what applies: defaults, then the account's, the version's own, the Worker's; the last one wins. */
  readonly spec: StoredSpec;
  /** 1 for the Worker's first version, then counting up. */
  readonly number: number;
}

export interface DeploymentDraft {
  readonly id: string;
  /** Of versions of this Worker; percentages add up to 100. */
  readonly shares: readonly VersionShare[];
  readonly annotations: Annotations;
  readonly source: Source;
  readonly author?: string;
  readonly createdOn: string;
}

export type DeploymentRecord = DeploymentDraft;

/** A route as the registry has it now, with the revision of its last change. */
export interface RouteState {
  readonly route: Route;
  readonly revision: number;
}

/** Where a watcher stands. Revisions of different epochs (another database, a restored backup) do not compare. */
export interface Cursor {
  readonly epoch: string;
  readonly revision: number;
}

/**
 * `reset`: forget everything, the whole state follows. `synced`: all changes up to the cursor have been given.
 * Changes come in order of revision; a route that changed twice may be given once, in its last state.
 */
export type RouteEvent =
  | { readonly type: 'reset' }
  | { readonly type: 'put'; readonly route: Route; readonly revision: number }
  | {
      readonly type: 'delete';
      readonly account: AccountId;
      readonly worker: WorkerName;
      readonly revision: number;
    }
  | { readonly type: 'synced'; readonly cursor: Cursor };

export interface Page {
  /** Default 0. */
  readonly offset?: number;
  /** Default 100. */
  readonly limit?: number;
}

export interface CreateVersionOptions {
  /** Makes the Worker when there is none; otherwise `workerNotFound`. */
  readonly createWorker?: { readonly tag: string; readonly subdomainEnabled: boolean };
  /** Also deploys the new version, at 100 percent, in the same transaction. */
  readonly deploy?: Omit<DeploymentDraft, 'shares'>;
}

export interface WorkerPatch {
  readonly settings?: Partial<WorkerSettings>;
  /** Replaces what was set. */
  readonly limits?: Partial<WorkerLimits>;
  readonly modifiedOn: string;
}

/**
 * Every write is one transaction and durable once its promise resolves; a rejected one changed nothing (on an engine
 * over a network: may have changed something when the error is `overloaded`).
 *
 * `createVersion` throws StaleKeyError (secret-keys.ts) for a draft sealed with a key that is gone: seal it again.
 *
 * Errors: `PlatformError` with `notFound` (account), `workerNotFound` or `versionNotFound`, `badRequest` for shares that
 * do not add up. Anything else is ours.
 */
export interface Registry extends AsyncDisposable {
  /** Makes the account, or renames it. `overloaded` while one of that id is being deleted. */
  putAccount(account: Pick<Account, 'id' | 'name' | 'createdOn'>): Promise<Account>;
  account(id: AccountId): Promise<Account | undefined>;
  /** Makes the account if this registry never had one. A deleted one thus does not come back. */
  seedAccount(account: Pick<Account, 'id' | 'name' | 'createdOn'>): Promise<void>;
  /** By id. */
  listAccounts(page?: Page): Promise<{ accounts: Account[]; total: number }>;
  /** Replaces the account's limits: what `versionById` gives from here on. */
  setAccountLimits(id: AccountId, limits: Partial<WorkerLimits>): Promise<Account>;

  /** Replaces the settings that are named; undefined takes one back. The others stay. */
  setAccountSettings(id: AccountId, patch: AccountSettingsPatch): Promise<Account>;
  /** Those for which something is set, for the start. */
  accountsWithSettings(): Promise<{ id: AccountId; settings: AccountSettings }[]>;
  setAccountStatus(id: AccountId, status: AccountStatus): Promise<Account>;
  /**
   * Takes the account away with its Workers, versions, deployments, tokens and settings: from here on nothing finds it.
   * Its id stays taken until `forgetAccount`, so that other stores can be told, after a crash too. Watchers see `delete`s.
   * Resolves to the Workers that had a route.
   */
  deleteAccount(id: AccountId): Promise<WorkerName[]>;
  /** The last step of a deletion. */
  forgetAccount(id: AccountId): Promise<void>;
  /** All that must not serve, for the start: suspended, or deleted and not forgotten. */
  withdrawnAccounts(): Promise<{ id: AccountId; status: 'suspended' | 'deleting' }[]>;

  worker(account: AccountId, name: WorkerName): Promise<WorkerRecord | undefined>;
  listWorkers(account: AccountId, page?: Page): Promise<{ workers: WorkerRecord[]; total: number }>;
  updateWorker(account: AccountId, name: WorkerName, patch: WorkerPatch): Promise<WorkerRecord>;
  /** Takes the Worker away with all its versions and deployments. Watchers see a `delete`. */
  deleteWorker(account: AccountId, name: WorkerName): Promise<{ revision: number }>;

  createVersion(
    draft: VersionDraft,
    options?: CreateVersionOptions,
  ): Promise<{ version: VersionRecord; deployed?: RouteState }>;
  version(account: AccountId, worker: WorkerName, id: VersionId): Promise<VersionRecord | undefined>;
  /** For whoever loads code: under 50 µs on the embedded engine. */
  versionById(id: VersionId): Promise<VersionRecord | undefined>;
  /** Newest first. */
  listVersions(account: AccountId, worker: WorkerName, page?: Page): Promise<VersionRecord[]>;

  deploy(account: AccountId, worker: WorkerName, draft: DeploymentDraft): Promise<RouteState>;
  /**
   * Many first or further deployments, each of one new version: for imports and benchmarks. Fast; atomic for the
   * whole array on the embedded engine, for each item elsewhere.
   */
  deployMany(
    items: readonly {
      readonly draft: VersionDraft;
      readonly options: Required<CreateVersionOptions>;
    }[],
  ): Promise<RouteState[]>;
  /** Newest first. */
  listDeployments(account: AccountId, worker: WorkerName, page?: Page): Promise<DeploymentRecord[]>;

  route(account: AccountId, worker: WorkerName): Promise<RouteState | undefined>;
  /** All that serve, in no promised order: the state somewhere between the first and the last step of the iteration. */
  routes(): AsyncIterable<Route>;
  cursor(): Promise<Cursor>;
  /**
   * The feed of route changes: first what changed since `from` (everything, after a `reset`, when `from` is missing, of
   * another epoch, ahead, or older than the compaction floor), then changes as they happen. Ends when `signal` aborts
   * or the registry closes.
   */
  watch(options?: { from?: Cursor; signal?: AbortSignal }): AsyncIterable<RouteEvent>;
  /** Forgets tombstones of routes deleted up to `revision`: watchers that stand before it get a `reset`. */
  compact(revision: number): Promise<void>;

  close(): Promise<void>;
}
