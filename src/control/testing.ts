/** For the tests of this folder: a control API over real stores in a temporary folder and a platform that only notes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { HostRule, Route, VersionCode } from '../model.ts';
import type {
  AuditLog,
  Blobs,
  Housekeeping,
  KvStore,
  Ledger,
  LogStore,
  Registry,
  RuleChange,
  Tokens,
  VersionQuota,
} from '../store/index.ts';
import type { z } from 'zod';
import { CellBoard } from '../metrics/index.ts';
import { SourceMapper } from '../source-maps/index.ts';
import { openFileBlobs } from '../store/files/index.ts';
import {
  openInlineKvStore,
  openInlineLedger,
  openInlineLogStore,
  openSqliteAuditLog,
  openSqliteStores,
} from '../store/sqlite/index.ts';
import { Rotation, type Vault } from '../secrets/index.ts';
import { openTestVault } from '../secrets/testing.ts';
import { Tails } from '../tail/index.ts';
import { TrustedProxies } from '../trusted-proxies.ts';
import { Quotas, Webhooks } from '../usage/index.ts';
import { parsePlanBook } from '../usage/plans/index.ts';
import { AccountLifecycle } from './account-lifecycle.ts';
import { AssetUploads } from './assets/index.ts';
import { BodyBudget } from './body-budget.ts';
import type { ControlApp, ControlDeps } from './context.ts';
import { createControl } from './control.ts';
import type { WorkerKey } from './names.ts';
import { toRates } from './rate-limits.ts';
import { Retention } from './retention.ts';
import { TokenAuthenticator } from './token-authenticator.ts';
import type { CheckResult, ControlPlatform, InstanceHeap, ScheduledResult, WorkerProfile } from './platform.ts';

export const TOKEN = 'test-token';
export const MAIN = 'main' as AccountId;
export const HELLO = 'hello' as WorkerName;

/** Accepts everything and remembers it. */
export class FakePlatform implements ControlPlatform {
  checked: VersionCode[] = [];
  published: Route[] = [];
  withdrawn: string[] = [];
  /** What gateways would match. */
  rules = new Map<string, HostRule>();
  previewed: string[] = [];
  reloaded: string[] = [];
  placed: string[] = [];
  readonly suspended = new Set<AccountId>();
  fired: { worker: string; cron: string; scheduledTime: number }[] = [];
  scheduledResult: ScheduledResult = { outcome: 'ok', cpuUs: 1_500, wallMs: 2, logs: [], exceptions: [] };
  checkResult: CheckResult = { ok: true, startupMs: 7, handlers: ['fetch'] };
  publishError: Error | undefined;

  async check(code: VersionCode): Promise<CheckResult> {
    this.checked.push(code);
    return this.checkResult;
  }

  async publish(route: Route): Promise<void> {
    if (this.publishError !== undefined) throw this.publishError;
    this.published.push(route);
  }

  async publishMany(routes: readonly Route[]): Promise<void> {
    this.published.push(...routes);
  }

  reload(account: AccountId, worker: WorkerName | undefined): Promise<void> {
    this.reloaded.push(`${account}/${worker ?? '*'}`);
    return Promise.resolve();
  }

  async withdraw(account: AccountId, worker: WorkerName): Promise<void> {
    this.withdrawn.push(`${account}/${worker}`);
  }

  async setRules(change: RuleChange): Promise<void> {
    for (const id of change.remove) this.rules.delete(id);
    for (const rule of change.set) this.rules.set(rule.id, rule);
  }

  async previewsChanged({ account, worker }: WorkerKey): Promise<void> {
    this.previewed.push(`${account}/${worker}`);
  }

  async withdrawMany(workers: readonly WorkerKey[]): Promise<void> {
    for (const { account, worker } of workers) await this.withdraw(account, worker);
  }

  async placeAccount(account: AccountId): Promise<void> {
    this.placed.push(account);
  }

  async suspendAccount(account: AccountId): Promise<void> {
    this.suspended.add(account);
  }

  async resumeAccount(account: AccountId): Promise<void> {
    this.suspended.delete(account);
  }

  heaps: InstanceHeap[] = [];

  profile(): Promise<WorkerProfile> {
    return Promise.reject(new Error('Nothing runs here'));
  }

  async heap(): Promise<readonly InstanceHeap[]> {
    return this.heaps;
  }

  async fireScheduled(
    _account: AccountId,
    worker: WorkerName,
    { cron, scheduledTime }: { readonly cron: string; readonly scheduledTime: number },
  ): Promise<ScheduledResult> {
    this.fired.push({ worker, cron, scheduledTime });
    return this.scheduledResult;
  }
}

export interface TestControl extends AsyncDisposable {
  readonly app: ControlApp;
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly audit: AuditLog;
  readonly blobs: Blobs;
  readonly vault: Vault;
  readonly kv: KvStore;
  readonly ledger: Ledger;
  readonly logs: LogStore;
  readonly platform: FakePlatform;
  readonly housekeeping: Housekeeping;
  readonly retention: Retention;
  /** What the DNS says, by name. */
  readonly txtRecords: Map<string, string[]>;
  /** What the log got, one line each. */
  readonly logged: string[];
  /** Sends an authenticated request to a path under `/client/v4/accounts/main`, or under `/client/v4` when it says so. */
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
  upload(path: string, form: UploadForm): Promise<Answer>;
  form(
    method: 'PATCH' | 'POST' | 'PUT',
    path: string,
    form: FormData,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** A GET whose answer wears no envelope. */
  raw(path: string): Promise<Response>;
}

export interface Answer {
  readonly status: number;
  readonly success: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it by path
  readonly result: any;
  readonly result_info?: unknown;
  /** Without their links, which are checked. */
  readonly errors: readonly { readonly code: number; readonly message: string; readonly documentation_url?: string }[];
}

export interface UploadForm {
  readonly metadata?: unknown;
  /** Name to content, an ES module unless given with a type. */
  readonly modules?: Readonly<Record<string, string | { type: string; content: string | Uint8Array }>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `keep`: how many versions an account may have. */
export async function openTestControl({
  keep = { versions: Infinity, bytes: Infinity },
  ...overrides
}: Partial<ControlDeps> & { keep?: VersionQuota } = {}): Promise<TestControl> {
  const dir = mkdtempSync(join(tmpdir(), 'isola-control-'));
  const stores = openSqliteStores(join(dir, 'registry.db'));
  const { registry, tokens, grants, hostnames, previews, schedules, secretKeys: keys, housekeeping } = stores;
  const txtRecords = new Map<string, string[]>();
  const kv = openInlineKvStore(':memory:', overrides.now ?? Date.now);
  const ledger = openInlineLedger();
  const logs = openInlineLogStore({
    quota: { days: Infinity, accountBytes: Infinity, totalBytes: Infinity },
    now: overrides.now ?? Date.now,
  });
  const vault = await openTestVault(keys);
  const audit = openSqliteAuditLog(join(dir, 'audit.db'));
  const blobs = openFileBlobs(join(dir, 'blobs'));
  const platform = new FakePlatform();
  const logged: string[] = [];
  await registry.putAccount({ id: MAIN, name: 'Main', createdOn: new Date(0).toISOString() });
  const mapper = new SourceMapper();
  const authenticator = new TokenAuthenticator({
    operatorToken: TOKEN,
    tokens,
    grants,
    registry,
    now: overrides.now ?? Date.now,
  });
  const now = overrides.now ?? Date.now;
  const tailing = { now, random: Math.random, randomUUID, randomToken: randomUUID, onTailed: () => Promise.resolve() };
  const retention = new Retention({
    housekeeping,
    blobs: overrides.blobs ?? blobs,
    platform,
    quota: keep,
    onError: (message, error) => logged.push(`${message}: ${String(error)}`),
  });
  const quotas = new Quotas({
    ledger,
    refuse: async (account, isRefused) => void logged.push(`${account} is ${isRefused ? 'refused' : 'admitted'}`),
    notify: ({ account, limit, percent }) => void logged.push(`${account} ${limit} ${percent}`),
    now: overrides.now ?? Date.now,
    onError: (error) => logged.push(String(error)),
  });
  const app = createControl({
    registry,
    hostnames,
    previews,
    resolver: { resolveTxt: async (name) => txtRecords.get(name) ?? [] },
    blobs,
    schedules,
    kv,
    ledger,
    quotas,
    webhooks: new Webhooks({ key: Buffer.alloc(32, 2), onFailure: (message) => logged.push(message), now: Date.now }),
    logs,
    plans: parsePlanBook(),
    tails: new Tails(tailing),
    vault,
    rotation: new Rotation({ keys, vault, now: Date.now, onError: (message) => logged.push(message) }),
    platform,
    cells: new CellBoard({ now }),
    metrics: { toText: () => Promise.resolve('isola_build_info 1\n') },
    mapper,
    authenticator,
    tokens,
    grants,
    identifyHash: (hash) => authenticator.identifyHash(hash),
    audit,
    accounts: new AccountLifecycle({ registry, platform, data: [kv, ledger, logs] }),
    assets: new AssetUploads({
      index: stores.assets,
      registry,
      blobs,
      key: Buffer.alloc(32, 1),
      now: overrides.now ?? Date.now,
      randomUUID,
    }),
    retention,
    rates: toRates(0),
    bodies: new BodyBudget({ ofAccount: Infinity, ofAll: Infinity }),
    proxies: new TrustedProxies([]),
    baseDomain: 'apps.test',
    publicScheme: 'http',
    publicPort: 8787,
    gatewayAddress: () => ({ host: '127.0.0.1', port: 1, tls: false }),
    log: (level, message, fields) => logged.push(`${level} ${message} ${String(fields?.['error'])}`),
    now: Date.now,
    randomUUID,
    ...overrides,
  });
  // What is answered is what the API's document says.
  app.addHook('preSerialization', async ({ routeOptions }, _reply, payload) => {
    const schema = (routeOptions.schema?.response as { 200?: z.ZodType } | undefined)?.[200];
    if ((payload as { success?: unknown } | null)?.success === true) schema?.parse(payload);
    return payload;
  });
  const sendForm: TestControl['form'] = async (method, path, form, headers) => {
    const encoded = new Response(form);
    return toAnswer(
      await app.inject({
        method,
        url: toUrl(path),
        headers: {
          authorization: `Bearer ${TOKEN}`,
          'content-type': encoded.headers.get('content-type')!,
          ...headers,
        },
        payload: Buffer.from(await encoded.arrayBuffer()),
      }),
    );
  };
  return {
    app,
    txtRecords,
    registry,
    tokens,
    audit,
    blobs,
    vault,
    kv,
    ledger,
    logs,
    platform,
    housekeeping,
    retention,
    logged,
    request: async (method, path, body) =>
      toAnswer(
        await app.inject({
          method,
          url: toUrl(path),
          headers: { authorization: `Bearer ${TOKEN}` },
          ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      ),
    upload: (path, { metadata, modules, headers }) => {
      const form = toForm({
        metadata: metadata ?? { main_module: 'index.js', compatibility_date: '2026-01-01' },
        modules: modules ?? { 'index.js': 'export default {}' },
      });
      return sendForm(path.includes('/versions') ? 'POST' : 'PUT', path, form, headers);
    },
    form: sendForm,
    raw: async (path) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const { statusCode, headers: found, rawPayload } = await app.inject({ url: toUrl(path), headers });
      return new Response(new Uint8Array(rawPayload), { status: statusCode, headers: found as Record<string, string> });
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await retention.close();
      quotas[Symbol.dispose]();
      await mapper.close();
      await stores.close();
      await kv.close();
      await ledger.close();
      await logs.close();
      await audit.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export function toForm({ metadata, modules }: Required<Pick<UploadForm, 'metadata' | 'modules'>>): FormData {
  const form = new FormData();
  form.set('metadata', typeof metadata === 'string' ? metadata : JSON.stringify(metadata));
  for (const [name, module] of Object.entries(modules)) {
    const { type, content } =
      typeof module === 'string' ? { type: 'application/javascript+module', content: module } : module;
    form.append(name, new File([content as string], name, { type }), name);
  }
  return form;
}

/** The version that serves all of a Worker's traffic. */
export async function servingVersion({ registry }: TestControl, worker = HELLO): Promise<VersionId | undefined> {
  return (await registry.route(MAIN, worker))?.route.shares[0]?.version;
}

function toUrl(path: string): string {
  return path.startsWith('/client/v4') ? path : `/client/v4/accounts/main${path}`;
}

function toAnswer(response: LightMyRequestResponse): Answer {
  const { errors, ...answer } = response.json<Omit<Answer, 'status'>>();
  const told = errors.map(({ documentation_url, ...error }) => {
    assert.match(documentation_url ?? '', new RegExp(`/errors/${error.code}$`));
    return error;
  });
  return { status: response.statusCode, ...answer, errors: told };
}
