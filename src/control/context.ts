/** What every resource of the control API works with. */
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { WorkerLimits } from '../limits.ts';
import type { CellBoard, PlatformMetrics } from '../metrics/index.ts';
import type { Rotation, Vault } from '../secrets/index.ts';
import type { SourceMapper } from '../source-maps/index.ts';
import type {
  AuditLog,
  Blobs,
  Grants,
  Hostnames,
  KvStore,
  Ledger,
  LogStore,
  Previews,
  Registry,
  Schedules,
  TokenHash,
  Tokens,
} from '../store/index.ts';
import type { Tails } from '../tail/index.ts';
import type { Quotas, Webhooks } from '../usage/index.ts';
import type { TrustedProxies } from '../trusted-proxies.ts';
import type { PlanBook } from '../usage/plans/index.ts';
import type { AccountLifecycle } from './account-lifecycle.ts';
import type { AssetUploads } from './assets/index.ts';
import type { BodyBudget, BodyHold } from './body-budget.ts';
import type { Authenticator, Identity, RouteScope } from './auth.ts';
import type { GatewayAddress } from './dashboard/index.ts';
import type { HostRuleControl } from './host-rules.ts';
import type { TxtResolver } from './ownership.ts';
import type { ControlPlatform } from './platform.ts';
import type { ApiRates } from './rate-limits.ts';
import type { Retention } from './retention.ts';
import type { Releases } from './releases.ts';

export type ControlLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface ControlDeps {
  readonly registry: Registry;
  readonly hostnames: Hostnames;
  readonly previews: Previews;
  /** For proofs of who owns a host name. */
  readonly resolver: TxtResolver;
  readonly blobs: Blobs;
  readonly schedules: Schedules;
  readonly kv: KvStore;
  readonly ledger: Pick<Ledger, 'sums'>;
  readonly quotas: Pick<Quotas, 'set' | 'state'>;
  readonly webhooks: Pick<Webhooks, 'keyOf'>;
  readonly logs: LogStore;
  readonly plans: PlanBook;
  readonly tails: Tails;
  readonly vault: Vault;
  readonly rotation: Rotation;
  readonly platform: ControlPlatform;
  readonly cells: Pick<CellBoard, 'list'>;
  readonly metrics: Pick<PlatformMetrics, 'toText'>;
  /** For errors of uploads that do not start. */
  readonly mapper: Pick<SourceMapper, 'map'>;
  /** Who changed what: an entry for each change that is asked for. */
  readonly audit: AuditLog;
  readonly authenticator: Authenticator;
  readonly tokens: Tokens;
  readonly grants: Grants;
  /** Whom the token of a hash speaks for: one that was made, not one that a client was granted. */
  readonly identifyHash: (hash: TokenHash) => Promise<Identity | undefined>;
  readonly accounts: AccountLifecycle;
  readonly assets: AssetUploads;
  readonly retention: Retention;
  readonly rates: ApiRates;
  /** What bodies may take in memory. */
  readonly bodies: BodyBudget;
  /** Which peers are believed about whom they ask for. */
  readonly proxies: TrustedProxies;
  /** Limits that an account made through the API begins with. */
  readonly accountLimits?: Partial<WorkerLimits>;
  /** Workers answer at `<scheme>://<worker>.<account>.<baseDomain>:<port>`, as visitors see it. */
  readonly baseDomain: string;
  readonly publicScheme: 'http' | 'https';
  readonly publicPort: number;
  /** Where a try reaches the gateway. */
  readonly gatewayAddress: () => GatewayAddress;
  /** Of the built dashboard; without it there is a page that says so. */
  readonly dashboardDir?: string | undefined;
  readonly log: ControlLog;
  /** ms since 1970. */
  readonly now: () => number;
  readonly randomUUID: () => string;
}

export interface ControlContext extends ControlDeps {
  readonly releases: Releases;
  readonly rules: HostRuleControl;
}

/** Fastify, with requests parsed and typed by the zod schemas of their routes. */
export type ControlApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Adds one resource's routes. */
export type Resource = (app: ControlApp, context: ControlContext) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a token must allow for this route. Every route of the API has one. */
    scope?: RouteScope;
    /**
     * `stream`: the handler reads the body itself, by `bodyStream`, within limits of its own. `bytes`: it parses it itself,
     * by `bodyBytes`. Otherwise it is JSON.
     */
    body?: 'bytes' | 'stream';
    /** Of a body that is no stream; 1 MiB unless given. */
    maxBodyBytes?: number;
    /** Values in a JSON body, those inside of others included; 10,000 unless given. */
    maxJsonValues?: number;
    /** Takes the place of the API's own: the route has tokens that are good for nothing else. */
    authenticator?: Authenticator;
    /** The route makes the account of its path, which need not exist. */
    mayBeNewAccount?: boolean;
  }

  interface FastifyRequest {
    /** Who asks. There on every route of the API. */
    identity: Identity;
    /** What of its body is in memory. There on every route of the API. */
    bodyHold?: BodyHold;
  }
}
