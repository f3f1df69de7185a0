/** What the platform is started with, what it tells of itself, and what whoever started it can do with it. */
import type { SandboxMode } from '../confine/index.ts';
import type { LoadLimitNumbers } from '../gateway/index.ts';
import type { KeySource } from '../secrets/index.ts';
import type { CertificateFiles } from './certificates.ts';
import type { StripeSettings } from './usage-export.ts';

export interface PlatformOptions {
  readonly host: string;
  /** Of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Of the control API; 0 takes a free one. */
  readonly controlPort: number;
  readonly dataDir: string;
  readonly cells: number;
  readonly baseDomain: string;
  /** The operator's token; without it one is kept in the data folder. */
  readonly adminToken?: string;
  /** Where the master key of secrets is; without it, in a file of the data folder that is made at the first start. */
  readonly secretsKey?: KeySource | undefined;
  /** Where it was before: what is stored goes over to `secretsKey`. */
  readonly oldSecretsKey?: KeySource | undefined;
  /** Lets tenants fetch loopback and private addresses. */
  readonly allowPrivateEgress: boolean;
  /** Ports that tenants may fetch from, as `--egress-ports` has them; the usual ones by default. */
  readonly egressPorts?: string | undefined;
  /** `address:port` of the DNS server that names of fetches are looked up at. */
  readonly egressDnsServer?: string | undefined;
  /** Requests of the control API a minute and token; 0 for no limit. */
  readonly apiRate: number;
  /** A second port of the gateway, for TLS. `checkMs`: how often the files are looked at. */
  readonly tls?: {
    readonly port: number;
    readonly files: readonly CertificateFiles[];
    readonly redirect: boolean;
    readonly checkMs: number;
  };
  /** Addresses and networks of proxies that are believed about their clients. */
  readonly trustedProxies: readonly string[];
  /** What one client and one account may have under way. */
  readonly loadLimits: LoadLimitNumbers;
  /** The port that visitors use, when a proxy stands in front. */
  readonly publicPort?: number;
  /** `address:port` of the DNS server that proofs of host names are looked up at. */
  readonly dnsServer?: string;
  /** Memory for cached responses, of all accounts together. */
  readonly cacheBytes: number;
  /** Resident memory at which a cell is ended; without it, one and a half times what its instances may use. */
  readonly cellMemoryBytes?: number | undefined;
  /** Old versions that an account may keep; 0 for no limit. */
  readonly keepVersions: number;
  /** And how large their modules and source maps may be together; 0 for no limit. */
  readonly keepVersionBytes: number;
  /** How cells are confined: `auto` takes the best that works on this machine. */
  readonly sandbox: SandboxMode;
  /** Refuses to start when cells cannot have bubblewrap and both filters. */
  readonly requireSandbox: boolean;
  /** Days for which logs are kept; 0 for no limit. */
  readonly keepLogDays: number;
  /** What an account's logs may take, with their index; 0 for no limit but that of all accounts together. */
  readonly keepLogBytes: number;
  /** A file of price plans; the shipped ones without it. */
  readonly plansFile?: string;
  /** Exports the usage of the accounts that the plans have a customer for. */
  readonly stripe?: StripeSettings;
  /** Exports traces: where a collector takes OTLP over HTTP, and of which share of requests. */
  readonly tracing?: { readonly endpoint: string; readonly ratio: number } | undefined;
  /** Where the built dashboard is. */
  readonly dashboardDir?: string | undefined;
  readonly onEvent: (event: PlatformEvent) => void;
}

/**
 * Something an operator may want to know: `starting`, `sandbox`, `token`, `secrets-key`, `cell-ready`, `cell-exit`, `alarm`,
 * `invocation` (those not `ok` or with something logged), `warning`.
 */
export type PlatformEvent = { event: string; [key: string]: unknown };

export interface Platform extends AsyncDisposable {
  readonly gatewayUrl: string;
  /** Of the TLS port, if there is one. */
  readonly tlsUrl?: string;
  readonly controlUrl: string;
  readonly adminToken: string;
  /** Drains: takes nothing new, answers what is under way, ends all processes. */
  stop(): Promise<void>;
}
