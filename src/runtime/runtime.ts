/** A cell inside the caller's own program. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { totalmem } from 'node:os';
import type { Duplex } from 'node:stream';
import v8 from 'node:v8';
import { amendForAsyncContext } from '../async-context/index.ts';
import { type Egress, createEgress, serveFetch } from '../broker/index.ts';
import { CacheStore, serveCache } from '../cache/index.ts';
import { Cell, type CellHost, type Resources, serveResource } from '../cell/index.ts';
import { CLOSE_CODES, openLocalExchange } from '../channel/index.ts';
import { Engine, LoadError } from '../engine/index.ts';
import { PlatformError } from '../errors.ts';
import { WARMUP, buildGuest } from '../guest/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { createKvService, serveKv } from '../kv/index.ts';
import {
  CACHE_BYTES,
  DEFAULT_LIMITS,
  MAX_CPU_MS,
  MAX_MEMORY_MIB,
  MAX_SUBREQUESTS,
  MAX_WASM_BINARY_MIB,
  type WorkerLimits,
} from '../limits.ts';
import type { Binding, InvocationRecord, ModuleKind, ModuleSource, VersionCode } from '../model.ts';
import { mapRecord, type MapFiles, SourceMapper, toMapFiles } from '../source-maps/index.ts';
import type { KvStore } from '../store/index.ts';
import { openInlineKvStore } from '../store/sqlite/index.ts';
import { sendRequest } from './local-fetch.ts';
import { sendUpgrade, type Sessions } from './local-upgrade.ts';

export interface RuntimeOptions {
  /** Lets Workers fetch loopback and private addresses. Default false. */
  readonly allowPrivateEgress?: boolean;
  /** Hears of every invocation when it has ended; of one with stacks, when source maps have been applied to them. */
  readonly onRecord?: (record: InvocationRecord) => void;
  /** All instances together, in bytes. Default: a quarter of the machine's memory. */
  readonly memoryBudgetBytes?: number;
  /** Memory for responses in `caches`, in bytes. Default: 64 MiB. */
  readonly cacheBytes?: number;
  /** File that KV namespaces are kept in. Default: in memory, gone with the runtime. */
  readonly kvPath?: string;
}

export interface RuntimeModule {
  readonly kind: ModuleKind;
  readonly content: Uint8Array;
}

export interface DeployOptions {
  /**
   * By the specifier they are imported by. Without a kind a name's ending tells it (`.cjs`, `.json`, `.txt`, `.wasm` …);
   * anything else is an ES module.
   */
  readonly modules: Readonly<Record<string, string | Uint8Array | RuntimeModule>>;
  /** By the name of their module with `.map` behind it. A map inside a module (`data:` URL) needs no entry here. */
  readonly sourceMaps?: Readonly<Record<string, string | Uint8Array>>;
  /** Name of the module that exports the handlers. Default: the first one. */
  readonly main?: string;
  /** `service-worker`: the main module is a script that calls `addEventListener`. Default: `modules`. */
  readonly format?: 'modules' | 'service-worker';
  readonly bindings?: readonly Binding[];
  readonly limits?: Partial<WorkerLimits>;
  /** `YYYY-MM-DD`. Default: today. */
  readonly compatibilityDate?: string;
  readonly compatibilityFlags?: readonly string[];
}

export interface Usage {
  readonly requests: number;
  /** CPU time of all invocations, in µs. */
  readonly cpuUs: number;
  /** CPU time of starting its instances, in µs. */
  readonly startCpuUs: number;
}

const ACCOUNT = 'main' as AccountId;
const SPARES = 1;
const KINDS: Readonly<Record<string, ModuleKind>> = {
  cjs: 'cjs',
  wasm: 'wasm',
  txt: 'text',
  html: 'text',
  json: 'json',
  bin: 'data',
};

/**
 * Runs Workers in isolates of this process: same engine and limits as the platform, without the sandbox around the
 * process. Code that breaks out of V8, or uses one of the built-ins that cannot be interrupted, has your program.
 */
export class Runtime implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #egress: Egress;
  readonly #cell: Cell;
  readonly #kv: KvStore;
  readonly #resources: Resources;
  readonly #codes = new Map<VersionId, VersionCode>();
  readonly #mapFiles = new Map<VersionId, MapFiles>();
  /** By Worker: the version before the one that serves. */
  readonly #replaced = new Map<string, VersionId>();
  readonly #mapper = new SourceMapper({ keepParents: true });
  readonly #serving = new Map<string, VersionId>();
  readonly #usage = new Map<string, { requests: number; cpuUs: number; startCpuUs: number }>();
  readonly #onRecord: RuntimeOptions['onRecord'];
  readonly #sessions: Sessions = new Set();
  #closing: Promise<void> | undefined;

  private constructor(engine: Engine, egress: Egress, options: RuntimeOptions) {
    this.#engine = engine;
    this.#egress = egress;
    this.#onRecord = options.onRecord;
    const cache = new CacheStore({ maxBytes: options.cacheBytes ?? CACHE_BYTES, now: Date.now });
    this.#kv = openInlineKvStore(options.kvPath);
    const kv = createKvService(this.#kv, Date.now);
    this.#resources = {
      cache: (exchange, request) => serveCache(cache, exchange, request),
      kv: (exchange, request) => serveKv(kv, exchange, request),
    };
    this.#cell = new Cell({
      engine,
      host: this.#createHost(),
      memoryBudgetBytes: options.memoryBudgetBytes ?? Math.floor(totalmem() / 4),
      now: Date.now,
    });
  }

  /** `amend` changes the guest runtime's script on its way: tests do. */
  static async create(options: RuntimeOptions, amend = (script: string) => script): Promise<Runtime> {
    // Programs that do not start Node with this flag get it here, before the first isolate (see DESIGN.md).
    v8.setFlagsFromString('--no-turboshaft-loop-unrolling');
    const { source, parts, assets } = await buildGuest();
    const engine = await Engine.start({
      guest: { source: amend(source), parts, assets, warmup: WARMUP },
      spares: SPARES,
      onStuck: 'ignore',
      onCatastrophe: (message) => process.emitWarning(`isola: ${message}`),
      now: Date.now,
    });
    return new Runtime(engine, createEgress({ allowPrivate: options.allowPrivateEgress ?? false }), options);
  }

  /**
   * Makes `name` answer with this code. A Worker of that name goes on serving until the new code has started; what runs
   * in it then finishes. KV namespaces that it binds are there from then on, by their ids. Throws PlatformError `invalidUpload`, with the position, when the code does not start.
   */
  async deploy(name: string, options: DeployOptions): Promise<void> {
    const { spec, modules: given } = toVersionCode(name, options);
    const sources = { modules: given, sourceMaps: toSources(options.sourceMaps ?? {}) };
    const { modules, sourceMaps } = await amendForAsyncContext(sources, spec.compatibilityFlags);
    const code: VersionCode = { spec, modules };
    for (const binding of spec.bindings)
      if (binding.type === 'kv_namespace') await this.#openNamespace(binding.namespaceId);
    this.#codes.set(spec.id, code);
    const files = toMapFiles(modules, sourceMaps);
    this.#mapFiles.set(code.spec.id, files);
    try {
      await this.#cell.prepare(code.spec.id);
    } catch (error) {
      this.#codes.delete(code.spec.id);
      this.#mapFiles.delete(code.spec.id);
      if (error instanceof LoadError) {
        const [message = ''] = await this.#mapTexts(code.spec.id, files, [error.message]);
        throw new PlatformError('invalidUpload', message, { cause: error });
      }
      throw error;
    }
    const before = this.#serving.get(name);
    this.#serving.set(name, code.spec.id);
    if (before === undefined) return;
    // What still runs in it may yet fail, with a stack to map: its files go at the next deployment.
    const older = this.#replaced.get(name);
    if (older !== undefined) this.#mapFiles.delete(older);
    this.#replaced.set(name, before);
    this.#codes.delete(before);
    this.#cell.retireOthers({ ...code.spec, serving: [code.spec.id] });
  }

  /** Sends a request to a Worker. Rejects with PlatformError `workerNotFound` when there is none of that name. */
  async fetch(name: string, request: Request): Promise<Response> {
    const open = this.#opener(name);
    return sendRequest(request, open);
  }

  /**
   * Answers a WebSocket handshake, for the `upgrade` event of a server of node:http; the connection is the Worker's from
   * here on. Throws PlatformError `workerNotFound` when there is none of that name.
   */
  upgrade(name: string, request: IncomingMessage, connection: { socket: Duplex; head: Buffer }): void {
    const open = this.#opener(name);
    sendUpgrade(request, connection, {
      open: (head, events) => open(head, undefined, { fin: false, events }),
      sessions: this.#sessions,
    });
  }

  async #openNamespace(id: string): Promise<void> {
    if ((await this.#kv.namespace({ account: ACCOUNT, namespace: id })) !== undefined) return;
    await this.#kv.createNamespace(ACCOUNT, { id, title: id });
  }

  #opener(name: string): Parameters<typeof sendRequest>[1] {
    const version = this.#serving.get(name);
    if (version === undefined) throw new PlatformError('workerNotFound', `Cannot fetch from "${name}": no such Worker`);
    const prefix = `${randomUUID()}\n${version}\n127.0.0.1`;
    return (head, body, { fin, events }) =>
      openLocalExchange(
        (exchange, text, first, last) => this.#cell.serve(exchange, text, first, last),
        `${prefix}\n${head}`,
        body,
        { fin, events },
      );
  }

  /** What the Worker has used since it was first deployed here. */
  usage(name: string): Usage {
    return { requests: 0, cpuUs: 0, startCpuUs: 0, ...this.#usage.get(name) };
  }

  /** Closes WebSockets, waits for running invocations, then ends all isolates. Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const session of this.#sessions) session.close(CLOSE_CODES.goingAway);
    await this.#cell.drain();
    this.#cell.dispose();
    await this.#mapper.close();
    await this.#engine.close();
    await this.#egress.close();
    await this.#kv.close();
  }

  #createHost(): CellHost {
    return {
      loadVersion: (id) => {
        const code = this.#codes.get(id);
        return code === undefined ? Promise.reject(new Error(`No such version: ${id}`)) : Promise.resolve(code);
      },
      resolveService: (_, worker) => Promise.resolve(this.#serving.get(worker)),
      openFetch: ({ hops }, head, body, options) =>
        openLocalExchange(
          (exchange, text, first, fin) => serveFetch(this.#egress, exchange, { head: text, body: first, fin, hops }),
          head,
          body,
          options,
        ),
      openResource: (principal, question, body, options) =>
        openLocalExchange(
          (exchange, _, first, fin) =>
            serveResource(this.#resources, exchange, {
              ...principal,
              ...question,
              body: first,
              fin,
              onEnd: () => {},
            }),
          '',
          body,
          options,
        ),
      recordStart: ({ worker, cpuUs }) => {
        const usage = this.#usage.get(worker) ?? { requests: 0, cpuUs: 0, startCpuUs: 0 };
        usage.startCpuUs += cpuUs;
        this.#usage.set(worker, usage);
      },
      record: (record) => {
        const usage = this.#usage.get(record.worker) ?? { requests: 0, cpuUs: 0, startCpuUs: 0 };
        usage.requests++;
        usage.cpuUs += record.cpuUs;
        this.#usage.set(record.worker, usage);
        this.#tell(record);
      },
    };
  }

  #tell(record: InvocationRecord): void {
    const onRecord = this.#onRecord;
    if (onRecord === undefined) return;
    const files = this.#mapFiles.get(record.version);
    const mapping =
      files === undefined ? undefined : mapRecord(record, (texts) => this.#mapTexts(record.version, files, texts));
    if (mapping === undefined) onRecord(record);
    else void mapping.then(onRecord);
  }

  #mapTexts(version: VersionId, files: MapFiles, texts: readonly string[]): Promise<readonly string[]> {
    return this.#mapper.map({ owner: ACCOUNT, key: version, texts, files });
  }
}

function toVersionCode(name: string, { modules, main, format, bindings, limits, ...rest }: DeployOptions): VersionCode {
  const names = Object.keys(modules);
  const mainModule = main ?? names[0];
  if (mainModule === undefined || !names.includes(mainModule)) {
    throw new PlatformError(
      'badRequest',
      `Cannot deploy "${name}": there is no module "${main ?? ''}" among its modules`,
    );
  }
  const sources = names.map((module): ModuleSource => {
    const given = modules[module] ?? '';
    const isBare = typeof given === 'string' || given instanceof Uint8Array;
    const bytes = isBare ? given : given.content;
    const content = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    if (module === mainModule) return { name: module, kind: format === 'service-worker' ? 'script' : 'esm', content };
    if (!isBare) return { name: module, kind: given.kind, content };
    return { name: module, kind: KINDS[module.split('.').at(-1) ?? ''] ?? 'esm', content };
  });
  const spec = {
    id: randomUUID() as string as VersionId,
    account: ACCOUNT,
    worker: name as WorkerName,
    tag: '',
    createdOn: new Date().toISOString(),
    mainModule,
    bindings: bindings ?? [],
    compatibilityDate: rest.compatibilityDate ?? new Date().toISOString().slice(0, 10),
    compatibilityFlags: rest.compatibilityFlags ?? [],
    limits: toLimits(name, limits ?? {}),
  };
  return { spec, modules: sources };
}

function toSources(files: Readonly<Record<string, string | Uint8Array>>): ModuleSource[] {
  return Object.entries(files).map(([name, content]) => ({
    name,
    kind: 'data',
    content: typeof content === 'string' ? Buffer.from(content, 'utf8') : content,
  }));
}

function toLimits(name: string, limits: Partial<WorkerLimits>): WorkerLimits {
  const maximum: WorkerLimits = {
    cpuMs: MAX_CPU_MS,
    memoryMiB: MAX_MEMORY_MIB,
    subrequests: MAX_SUBREQUESTS,
    wasmBinaryMiB: MAX_WASM_BINARY_MIB,
  };
  const minimum: WorkerLimits = { cpuMs: 1, memoryMiB: 8, subrequests: 0, wasmBinaryMiB: 0 };
  const merged = { ...DEFAULT_LIMITS, ...limits };
  for (const key of ['cpuMs', 'memoryMiB', 'subrequests', 'wasmBinaryMiB'] as const) {
    const value = merged[key];
    if (Number.isInteger(value) && value >= minimum[key] && value <= maximum[key]) continue;
    throw new PlatformError(
      'badRequest',
      `Cannot deploy "${name}": limits.${key} is ${value}, allowed are ${minimum[key]} to ${maximum[key]}`,
    );
  }
  return merged;
}
