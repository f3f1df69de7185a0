import { PlatformError } from '../../errors.ts';
import type { AccountId, VersionId, WorkerName } from '../../ids.ts';
import type { WorkerLimits } from '../../limits.ts';
import type { Route, RouteShare, VersionAssets, VersionShare } from '../../model.ts';
import type {
  Account,
  AccountSettings,
  AccountSettingsPatch,
  AccountStatus,
  CreateVersionOptions,
  Cursor,
  DeploymentDraft,
  DeploymentRecord,
  Page,
  Registry,
  RouteEvent,
  RouteState,
  VersionDraft,
  VersionRecord,
  WorkerPatch,
  WorkerRecord,
  WorkerSettings,
} from '../registry.ts';
import { StaleKeyError } from '../secret-keys.ts';
import type { Database } from './database.ts';
import { RouteFeed } from './route-feed.ts';
import {
  type Row,
  toAccount,
  toDeployment,
  toDeploymentJson,
  toLimitsJson,
  toMs,
  toRoute,
  toRouteJson,
  toVersion,
  toVersionJson,
  toWorker,
} from './rows.ts';
import { prepareStatements, type Statements } from './statements.ts';

const DEFAULT_PAGE = 100;
const ROUTES_PAGE = 1_000; // rows read at once by routes(): other work gets a turn in between

/**
 * The Registry in the file of a Database, which it closes. One process owns the file: watchers of another process would
 * not be woken.
 *
 * The methods are `async` because the port is; inside, each runs to its end in one go, so transactions never mix.
 */
export class SqliteRegistry implements Registry {
  #database: Database;
  #statements: Statements;
  #feed: RouteFeed;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#feed = new RouteFeed(database.handle);
  }

  async putAccount({ id, name, createdOn }: Pick<Account, 'id' | 'name' | 'createdOn'>): Promise<Account> {
    if (this.#statements.isDeleting.get(id) !== undefined) {
      throw new PlatformError('overloaded', `Cannot make account '${id}': one of that name is still being deleted`);
    }
    this.#statements.putAccount.run(id, name, toMs(createdOn));
    return this.#requireAccount(id);
  }

  async seedAccount({ id, name, createdOn }: Pick<Account, 'id' | 'name' | 'createdOn'>): Promise<void> {
    this.#database.transact(() => {
      if (this.#statements.seed.run().changes === 0) return;
      if (this.#statements.hasAccounts.get() === undefined) this.#statements.putAccount.run(id, name, toMs(createdOn));
    });
  }

  async account(id: AccountId): Promise<Account | undefined> {
    const row = this.#statements.account.get(id);
    return row && toAccount(row);
  }

  async listAccounts(page: Page = {}): Promise<{ accounts: Account[]; total: number }> {
    const rows = this.#statements.listAccounts.all(...toLimitOffset(page));
    const total = Number(this.#statements.countAccounts.get()!['n']);
    return { accounts: rows.map(toAccount), total };
  }

  async setAccountLimits(id: AccountId, limits: Partial<WorkerLimits>): Promise<Account> {
    this.#requireAccount(id);
    this.#statements.setAccountLimits.run(toLimitsJson(limits), id);
    return this.#requireAccount(id);
  }

  async setAccountSettings(id: AccountId, patch: AccountSettingsPatch): Promise<Account> {
    return this.#database.transact(() => {
      const { settings } = this.#requireAccount(id);
      this.#statements.setAccountSettings.run(JSON.stringify({ ...settings, ...patch }), id);
      return this.#requireAccount(id);
    });
  }

  async accountsWithSettings(): Promise<{ id: AccountId; settings: AccountSettings }[]> {
    return this.#statements.accountsWithSettings.all().map((row) => {
      const { id, settings } = toAccount(row);
      return { id, settings };
    });
  }

  async setAccountStatus(id: AccountId, status: AccountStatus): Promise<Account> {
    this.#statements.setAccountStatus.run(status, id);
    return this.#requireAccount(id);
  }

  async deleteAccount(id: AccountId): Promise<WorkerName[]> {
    const statements = this.#statements;
    const workers = this.#database.transact(() => {
      this.#requireAccount(id);
      const routed = statements.routesOfAccount.all(id).map(({ worker }) => worker as WorkerName);
      for (const worker of routed) statements.putRoute.run(id, worker, this.#nextRevision(), null);
      statements.deleteAccountDeployments.run(id);
      statements.deleteAccountVersions.run(id);
      statements.deleteAccountKeys.run(id);
      statements.deleteAccountWorkers.run(id);
      statements.deleteAccountGrants.run(id);
      statements.deleteAccountTokens.run(id);
      statements.setAccountLimits.run(null, id);
      statements.setAccountStatus.run('deleting', id);
      return routed;
    });
    this.#feed.notify();
    return workers;
  }

  async forgetAccount(id: AccountId): Promise<void> {
    this.#statements.forgetAccount.run(id);
  }

  async withdrawnAccounts(): Promise<{ id: AccountId; status: 'suspended' | 'deleting' }[]> {
    return this.#statements.withdrawnAccounts.all().map(({ id, status }) => ({
      id: id as AccountId,
      status: status as 'suspended' | 'deleting',
    }));
  }

  async worker(account: AccountId, name: WorkerName): Promise<WorkerRecord | undefined> {
    const row = this.#statements.worker.get(account, name);
    return row && toWorker(row);
  }

  async listWorkers(account: AccountId, page: Page = {}): Promise<{ workers: WorkerRecord[]; total: number }> {
    const rows = this.#statements.listWorkers.all(account, ...toLimitOffset(page));
    const total = Number(this.#statements.countWorkers.get(account)!['n']);
    return { workers: rows.map(toWorker), total };
  }

  async updateWorker(account: AccountId, name: WorkerName, patch: WorkerPatch): Promise<WorkerRecord> {
    let changedRoute = false;
    const updated = this.#database.transact(() => {
      const row = this.#requireWorker(account, name);
      const current = toWorker(row);
      const settings = { ...current.settings, ...patch.settings };
      const limits = patch.limits ?? current.limits;
      this.#statements.updateWorker.run(
        toMs(patch.modifiedOn),
        JSON.stringify(settings),
        toLimitsJson(limits),
        row['id']!,
      );
      const route = this.#liveRoute(account, name);
      const { subdomainEnabled, previewsEnabled } = current.settings;
      const isSame = settings.subdomainEnabled === subdomainEnabled && settings.previewsEnabled === previewsEnabled;
      if (route !== undefined && !isSame) {
        this.#putRoute({ ...route, hidden: !settings.subdomainEnabled, previews: settings.previewsEnabled });
        changedRoute = true;
      }
      return toWorker(this.#requireWorker(account, name));
    });
    if (changedRoute) this.#feed.notify();
    return updated;
  }

  async deleteWorker(account: AccountId, name: WorkerName): Promise<{ revision: number }> {
    const revision = this.#database.transact(() => {
      const { id } = this.#requireWorker(account, name);
      this.#statements.deleteDeployments.run(id!);
      this.#statements.deleteVersions.run(id!);
      this.#statements.deleteWorker.run(id!);
      // A Worker that never served has no route, and nobody to tell.
      if (this.#liveRoute(account, name) === undefined) return this.#feed.cursor().revision;
      const next = this.#nextRevision();
      this.#statements.putRoute.run(account, name, next, null);
      return next;
    });
    this.#feed.notify();
    return { revision };
  }

  async createVersion(
    draft: VersionDraft,
    options: CreateVersionOptions = {},
  ): Promise<{ version: VersionRecord; deployed?: RouteState }> {
    const deployed = this.#database.transact(() => this.#insertVersion(draft, options));
    if (deployed !== undefined) this.#feed.notify();
    const version = toVersion(this.#statements.versionById.get(draft.spec.id)!);
    return deployed === undefined ? { version } : { version, deployed };
  }

  async version(account: AccountId, worker: WorkerName, id: VersionId): Promise<VersionRecord | undefined> {
    const version = await this.versionById(id);
    return version?.spec.account === account && version.spec.worker === worker ? version : undefined;
  }

  async versionById(id: VersionId): Promise<VersionRecord | undefined> {
    const row = this.#statements.versionById.get(id);
    return row && toVersion(row);
  }

  async listVersions(account: AccountId, worker: WorkerName, page: Page = {}): Promise<VersionRecord[]> {
    const { id } = this.#requireWorker(account, worker);
    return this.#statements.listVersions.all(id!, ...toLimitOffset(page)).map(toVersion);
  }

  async deploy(account: AccountId, worker: WorkerName, draft: DeploymentDraft): Promise<RouteState> {
    const deployed = this.#database.transact(() => this.#insertDeployment(this.#requireWorker(account, worker), draft));
    this.#feed.notify();
    return deployed;
  }

  async deployMany(
    items: readonly {
      readonly draft: VersionDraft;
      readonly options: Required<CreateVersionOptions>;
    }[],
  ): Promise<RouteState[]> {
    const deployed = this.#database.transact(() =>
      items.map(({ draft, options }) => this.#insertVersion(draft, options)!),
    );
    this.#feed.notify();
    return deployed;
  }

  async listDeployments(account: AccountId, worker: WorkerName, page: Page = {}): Promise<DeploymentRecord[]> {
    const { id } = this.#requireWorker(account, worker);
    return this.#statements.listDeployments.all(id!, ...toLimitOffset(page)).map(toDeployment);
  }

  async route(account: AccountId, worker: WorkerName): Promise<RouteState | undefined> {
    const row = this.#statements.route.get(account, worker);
    if (row === undefined || row['route'] === null) return undefined;
    return { route: toRoute(row), revision: Number(row['revision']) };
  }

  async *routes(): AsyncGenerator<Route> {
    let last: { account: string; worker: string } = { account: '', worker: '' };
    for (;;) {
      const rows = this.#statements.routesAfter.all(last.account, last.worker, ROUTES_PAGE);
      const batch = rows.map(toRoute);
      yield* batch;
      if (batch.length < ROUTES_PAGE) return;
      last = batch.at(-1)!;
    }
  }

  async cursor(): Promise<Cursor> {
    return this.#feed.cursor();
  }

  watch(options?: { from?: Cursor; signal?: AbortSignal }): AsyncIterable<RouteEvent> {
    return this.#feed.watch(options);
  }

  async compact(revision: number): Promise<void> {
    this.#database.transact(() => {
      const floor = Math.min(revision, this.#feed.cursor().revision);
      this.#statements.deleteTombstones.run(floor);
      this.#statements.raiseFloor.run(floor);
    });
    this.#feed.notify();
  }

  async close(): Promise<void> {
    this.#feed.close();
    this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #insertVersion(draft: VersionDraft, { createWorker, deploy }: CreateVersionOptions): RouteState | undefined {
    const { id, account, worker, createdOn } = draft.spec;
    const createdMs = toMs(createdOn);
    if (createWorker !== undefined) {
      if (this.#statements.account.get(account) === undefined) throw accountNotFound(account);
      const { subdomainEnabled } = createWorker;
      const settings: WorkerSettings = { subdomainEnabled, previewsEnabled: false, tags: [] };
      this.#statements.insertWorker.run(
        account,
        worker,
        createWorker.tag,
        createdMs,
        createdMs,
        JSON.stringify(settings),
      );
    }
    const row = this.#requireWorker(account, worker);
    const number = Number(row['last_number']) + 1;
    const { secretsKey = null } = draft;
    if (secretsKey !== null && this.#statements.isKeyOf.get(secretsKey, account) === undefined) {
      throw new StaleKeyError(`Cannot store version ${id}: the key of its secrets is gone`);
    }
    this.#statements.insertVersion.run(id, row['id']!, number, createdMs, toVersionJson(draft), secretsKey);
    this.#statements.bumpWorker.run(number, createdMs, row['id']!);
    if (deploy === undefined) return undefined;
    return this.#insertDeployment(row, { ...deploy, shares: [{ version: id, percentage: 100 }] });
  }

  #insertDeployment(worker: Row, draft: DeploymentDraft): RouteState {
    checkShares(draft.shares);
    const shares = draft.shares.map((share) => this.#toRouteShare(worker, share));
    const last = this.#statements.lastDeployment.get(worker['id']!)?.['sequence'] ?? 0;
    const createdMs = toMs(draft.createdOn);
    this.#statements.insertDeployment.run(
      worker['id']!,
      Number(last) + 1,
      draft.id,
      createdMs,
      toDeploymentJson(draft),
    );
    const { account, name, settings } = toWorker(worker);
    return this.#putRoute({
      account,
      worker: name,
      shares,
      hidden: !settings.subdomainEnabled,
      previews: settings.previewsEnabled,
    });
  }

  #toRouteShare(worker: Row, { version, percentage }: VersionShare): RouteShare {
    const row = this.#statements.assetsOf.get(version, worker['id']!);
    if (row === undefined) {
      throw new PlatformError(
        'versionNotFound',
        `Cannot deploy version ${version}: Worker '${String(worker['name'])}' has no such version`,
      );
    }
    const share = { version, percentage };
    return row['assets'] === null ? share : { ...share, assets: JSON.parse(String(row['assets'])) as VersionAssets };
  }

  #putRoute({ hidden, previews, ...rest }: Route): RouteState {
    const route: Route = { ...rest, ...(hidden === true && { hidden }), ...(previews === true && { previews }) };
    const revision = this.#nextRevision();
    this.#statements.putRoute.run(route.account, route.worker, revision, toRouteJson(route));
    return { route, revision };
  }

  #nextRevision(): number {
    return Number(this.#statements.nextRevision.get()!['value']);
  }

  #liveRoute(account: AccountId, worker: WorkerName): Route | undefined {
    const row = this.#statements.route.get(account, worker);
    return row === undefined || row['route'] === null ? undefined : toRoute(row);
  }

  #requireAccount(id: AccountId): Account {
    const row = this.#statements.account.get(id);
    if (row === undefined) throw accountNotFound(id);
    return toAccount(row);
  }

  #requireWorker(account: AccountId, name: WorkerName): Row {
    const row = this.#statements.worker.get(account, name);
    if (row === undefined) {
      throw new PlatformError('workerNotFound', `Account '${account}' has no Worker named '${name}'`);
    }
    return row;
  }
}

function accountNotFound(id: AccountId): PlatformError {
  return new PlatformError('notFound', `There is no account '${id}'`);
}

function checkShares(shares: readonly VersionShare[]): void {
  const total = shares.reduce((sum, share) => sum + share.percentage, 0);
  const areInRange = shares.every(({ percentage }) => percentage >= 0 && percentage <= 100);
  const areDistinct = new Set(shares.map(({ version }) => version)).size === shares.length;
  // Percentages may have two decimals: 33.33 + 33.33 + 33.34 is not exactly 100 in binary.
  if (areInRange && areDistinct && Math.abs(total - 100) < 0.001) return;
  throw new PlatformError(
    'badRequest',
    `Cannot deploy: percentages are ${shares.map((share) => share.percentage).join(', ') || 'missing'}; ` +
      'they must be between 0 and 100, of different versions, and add up to 100',
  );
}

function toLimitOffset({ limit = DEFAULT_PAGE, offset = 0 }: Page): [number, number] {
  return [limit, offset];
}
