/** What the platform's parts say to one another about Workers: plain, JSON-safe data (module contents aside). */
import type { AccountId, Sha256, VersionId, WorkerName } from './ids.ts';
import type { WorkerLimits } from './limits.ts';

/** `script`: a Worker in service-worker syntax, its main module then. */
export type ModuleKind = 'esm' | 'cjs' | 'script' | 'text' | 'data' | 'json' | 'wasm';

/** A module of a version, as stored: its bytes are in the blob store. */
export interface ModuleRef {
  /** The specifier it is imported by, e.g. `index.js` or `./f2f4-add.wasm`. */
  readonly name: string;
  readonly kind: ModuleKind;
  readonly sha256: Sha256;
  readonly bytes: number;
}

/** A module with its bytes, as sent to a cell. */
export interface ModuleSource {
  readonly name: string;
  readonly kind: ModuleKind;
  readonly content: Uint8Array;
}

export type Binding =
  | { readonly type: 'plain_text'; readonly name: string; readonly text: string }
  | { readonly type: 'json'; readonly name: string; readonly json: unknown }
  /** A string in `env`, like a plain_text one. In this form it is in the control API and in cells only. */
  | { readonly type: 'secret_text'; readonly name: string; readonly text: string }
  | {
      readonly type: 'service';
      readonly name: string;
      readonly service: WorkerName;
      /** The export that answers, when it is not the default one. */
      readonly entrypoint?: string;
    }
  | { readonly type: 'version_metadata'; readonly name: string }
  | { readonly type: 'kv_namespace'; readonly name: string; readonly namespaceId: string }
  /** The files of the version that holds the binding. */
  | { readonly type: 'assets'; readonly name: string }
  /** A file of the upload, by the name of its module: what a service-worker script has instead of imports. */
  | { readonly type: 'wasm_module' | 'text_blob' | 'data_blob'; readonly name: string; readonly part: string };

/** The static files of a version. */
export interface VersionAssets {
  /** The blob that lists them (assets/manifest.ts). */
  readonly manifest: Sha256;
  /** There is nothing else: no module, and nothing to run. */
  readonly only?: true;
}

/** A secret as the registry has it: only secrets/ makes and opens it. */
export interface SealedSecret {
  readonly type: 'secret_text';
  readonly name: string;
  readonly sealed: string;
}

/** A binding as the registry has it. */
export type StoredBinding = Exclude<Binding, { type: 'secret_text' }> | SealedSecret;

/** All a cell needs to know to run a version, apart from the module contents. */
export interface VersionSpec {
  readonly id: VersionId;
  readonly account: AccountId;
  readonly worker: WorkerName;
  /** The version's tag (`--tag`), or ''. Shown by a `version_metadata` binding. */
  readonly tag: string;
  readonly createdOn: string;
  /** Name of the module whose default export handles events. */
  readonly mainModule: string;
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly limits: WorkerLimits;
  /** Its static files, if it has some. */
  readonly assets?: VersionAssets;
}

/** The same as the registry has it. */
export type StoredSpec = Omit<VersionSpec, 'bindings'> & { readonly bindings: readonly StoredBinding[] };

/** A version with its code: what `Cell.load` takes. */
export interface VersionCode {
  readonly spec: VersionSpec;
  readonly modules: readonly ModuleSource[];
}

/** One version's share of a Worker's traffic. Percentages of a deployment add up to 100. */
export interface VersionShare {
  readonly version: VersionId;
  readonly percentage: number;
}

/** The same with what a gateway has to know of the version. */
export interface RouteShare extends VersionShare {
  readonly assets?: VersionAssets;
}

/** Which versions of a Worker serve. This is what routes are made of. */
export interface Route {
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly shares: readonly RouteShare[];
  /** The default URL is switched off (`workers_dev: false`): clients reach it by routes and custom domains only. */
  readonly hidden?: boolean;
  /** Versions that are not deployed answer at URLs of their own (`preview_urls: true`). */
  readonly previews?: boolean;
}

/** Which URLs a route is for. Host and path are in their one spelling (hostnames/). */
export interface HostPattern {
  /** Without the wildcard. */
  readonly host: string;
  /** `subdomains`: all below the host (`*.example.com`). `all`: the host too (`*example.com`). */
  readonly wildcard: 'none' | 'subdomains' | 'all';
  /** What a URL's path and query must be, or begin with. */
  readonly path: string;
  readonly isPrefix: boolean;
  /** Absent: both. */
  readonly scheme?: 'http' | 'https';
}

/** A route or a custom domain, as gateways are told. */
export interface HostRule extends HostPattern {
  /** Unique: replaces the rule that had it before. */
  readonly id: string;
  readonly account: AccountId;
  /** `null`: what the pattern matches is for no Worker, whatever a wider pattern says. */
  readonly worker: WorkerName | null;
  readonly kind: 'route' | 'domain';
}

export type Outcome =
  | 'ok'
  | 'exception'
  | 'exceededCpu'
  | 'exceededMemory'
  | 'exceededWallTime'
  | 'canceled'
  | 'internalError';

/** How one invocation went: one record for logs, tails, usage and metrics. */
export interface InvocationRecord {
  readonly ray: string;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly version: VersionId;
  readonly event: 'fetch' | 'scheduled';
  readonly outcome: Outcome;
  /** HTTP status sent, 0 when none was. */
  readonly status: number;
  /** CPU time in microseconds. */
  readonly cpuUs: number;
  readonly wallMs: number;
  /** When it began, ms since 1970. */
  readonly at: number;
  /** Of the bodies, and of WebSocket messages, both ways. Heads are not counted. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly subrequests: number;
  /** What the instance held at the end, as measured not long before. 0 where there was none. */
  readonly memoryBytes: number;
  /** It had to wait for its instance to be made. */
  readonly cold: boolean;
  /** Called by another Worker of the account, through a service binding: part of the invocation chain of its ray. */
  readonly service?: true | undefined;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly logs: readonly LogLine[];
  readonly exceptions: readonly ExceptionInfo[];
  /** Lines were dropped because the invocation logged more than its limit. */
  readonly truncated: boolean;
  /** Records of the account that went without lines and exceptions since the last one, because it logs too much. */
  readonly dropped?: number | undefined;
  /** Of a scheduled event: its expression, and when it was due, ms since 1970. */
  readonly cron?: string | undefined;
  readonly scheduledTime?: number | undefined;
  /** The scheduled event made up for due times that had passed while nothing could run. */
  readonly missed?: true | undefined;
  /** There while somebody tails the Worker, and nowhere but on the way to them. */
  readonly tail?: TailDetails | undefined;
}

/** How an instance was started: a record beside those of the invocations that waited for it. */
export interface StartRecord {
  readonly event: 'start';
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly version: VersionId;
  /** `ok`, or why there is none: `exception` or `exceededCpu`. */
  readonly outcome: Outcome;
  /** CPU time in microseconds, of the attempt that counted. */
  readonly cpuUs: number;
  readonly wallMs: number;
  /** When it began, ms since 1970. */
  readonly at: number;
  readonly memoryBytes: number;
  /** An invocation waits for it; else it was made ahead of need. */
  readonly cold: boolean;
}

/** What a tail shows of an invocation beside its record. */
export interface TailDetails {
  readonly clientIp: string;
  /** Of the request, as they came. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Records of the Worker that were left out since the last one, because there were too many. */
  readonly dropped: number;
}

export interface LogLine {
  readonly level: 'debug' | 'error' | 'info' | 'log' | 'warn';
  readonly message: string;
  readonly timestamp: number;
}

export interface ExceptionInfo {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly timestamp: number;
}
