/** The live instances of a cell: found or made per version, and given up, least recently used first, under a memory budget. */
import { type Engine, LoadError } from '../engine/index.ts';
import { type BindingOptions, type ConfigureOptions, HOST_SYNC } from '../guest/abi.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { STARTUP_CPU_MS } from '../limits.ts';
import type { Binding, ModuleSource, VersionCode, VersionSpec } from '../model.ts';
import { handleHostQuestion } from './host-calls.ts';
import type { CellHost } from './host.ts';
import { Instance, type InstanceOwner, type StartedGuest } from './instance.ts';
import { Placements } from './placement.ts';
import { type InstanceProfile, Profiling } from './profiling.ts';
import type { StartProfile } from './protocol.ts';
import { Services } from './services/index.ts';
import { Start } from './start.ts';
import { VersionCodes } from './version-codes.ts';

const MAX_LIVE = 6_000; // each isolate has 8 memory maps, and Linux allows a process 65,530
const ISOLATE_OVERHEAD_BYTES = 1024 * 1024; // beside its heap: stacks, code, handles
const INLINE_STARTUP_US = 5_000; // what the others in the cell may wait for the start of one
const MEASURE_EVERY_MS = 1_000;
const MAX_MEASURED = 250; // at a time, 20 µs each: with thousands in use, others are as they were last measured
const NEARLY_FULL = 0.8; // of the budget, by the memory of the process: then all are measured
const MAX_EVICTIONS = 20; // told by name, of those since the last time

export interface InstancesOptions {
  readonly engine: Engine;
  readonly host: CellHost;
  readonly owner: InstanceOwner;
  /** All instances together, in bytes. Idle ones are disposed above it. */
  readonly memoryBudgetBytes: number;
}

export class Instances {
  readonly #options: InstancesOptions;
  readonly #live = new Map<VersionId, Instance>();
  readonly #loading = new Map<VersionId, Promise<Instance>>();
  /** Given up, with invocations that have not ended. */
  readonly #retiring = new Set<Instance>();
  readonly #placements = new Placements();
  readonly #codes: VersionCodes;
  readonly #measuring: NodeJS.Timeout;
  /** Where in `#live` measuring goes on when not all that were used can be. */
  #measuredUpTo = 0;
  #evicted = 0;
  #evictions: [account: AccountId, worker: WorkerName][] = [];
  /** Calls of `disposeOf` so far. */
  #disposals = 0;
  /** The profile that is being taken. */
  #profiling: Profiling | undefined;

  constructor(options: InstancesOptions) {
    this.#options = options;
    this.#codes = new VersionCodes(options.host);
    this.#measuring = setInterval(() => this.#keepBudget(), MEASURE_EVERY_MS);
    this.#measuring.unref();
  }

  get live(): number {
    return this.#live.size;
  }

  get evicted(): number {
    return this.#evicted;
  }

  /** Whose instances were evicted since the last call, some of them when they are many. */
  takeEvictions(): readonly [account: AccountId, worker: WorkerName][] {
    return this.#evictions.splice(0);
  }

  /** Those that are given up and have not ended, too. */
  *all(): Iterable<Instance> {
    yield* this.#live.values();
    for (const instance of this.#retiring) if (!instance.disposed) yield instance;
  }

  /** The live instance of a version, if there is one. */
  get(version: VersionId): Instance | undefined {
    return this.#live.get(version);
  }

  /**
   * The instance of a version, made if there is none. Callers of the same version share one start. `cold`: a request waits
   * for it. Throws LoadError.
   */
  acquire(version: VersionId, { cold }: { cold: boolean }): Promise<Instance> {
    const live = this.#live.get(version);
    if (live !== undefined) return Promise.resolve(live);
    let loading = this.#loading.get(version);
    if (loading === undefined) {
      loading = this.#load(version, cold).finally(() => this.#loading.delete(version));
      this.#loading.set(version, loading);
    }
    return loading;
  }

  /** Instances of the Worker that are made from here on are profiled. */
  startProfile(target: StartProfile): void {
    this.#profiling = new Profiling(target);
  }

  /** Ends it: see Profiling. */
  async stopProfile(): Promise<InstanceProfile | undefined> {
    const profiling = this.#profiling;
    this.#profiling = undefined;
    return await profiling?.stop();
  }

  /** What is known of a version that was loaded, or failed to, not long ago. */
  specOf(version: VersionId): VersionSpec | undefined {
    return this.#live.get(version)?.spec ?? this.#codes.specOf(version);
  }

  /** It takes nothing new any more; the next request makes another. */
  remove(instance: Instance): void {
    if (this.#live.get(instance.spec.id) === instance) this.#live.delete(instance.spec.id);
  }

  /** Gives up the Worker's instances of other versions than those that serve; running invocations finish. */
  retireOthers(which: { account: AccountId; worker: WorkerName; serving: readonly VersionId[] }): void {
    const { account, worker, serving } = which;
    this.#retire((spec) => spec.worker === worker && spec.account === account && !serving.includes(spec.id));
  }

  /** Forgets what is known of the Worker, or of all of the account, and gives up the instances. */
  reload(account: AccountId, worker: WorkerName | undefined): void {
    const concerns = (spec: VersionSpec) =>
      spec.account === account && (worker === undefined || spec.worker === worker);
    this.#codes.forget(concerns);
    this.#retire(concerns);
  }

  #retire(concerns: (spec: VersionSpec) => boolean): void {
    for (const instance of this.#retiring) if (instance.disposed) this.#retiring.delete(instance);
    for (const [version, instance] of this.#live) {
      if (!concerns(instance.spec)) continue;
      this.#live.delete(version);
      instance.retire();
      if (!instance.disposed) this.#retiring.add(instance);
    }
  }

  /** Ends what runs of the account, and forgets its code. What is being started meanwhile ends before it serves. */
  disposeOf(account: AccountId): void {
    this.#disposals++;
    this.#codes.forget((spec) => spec.account === account);
    for (const instance of [...this.#live.values(), ...this.#retiring]) {
      if (instance.spec.account !== account) continue;
      this.remove(instance);
      instance.dispose();
    }
  }

  disposeAll(): void {
    clearInterval(this.#measuring);
    for (const instance of this.#live.values()) instance.dispose();
    this.#live.clear();
  }

  async #load(version: VersionId, cold: boolean): Promise<Instance> {
    const disposals = this.#disposals;
    const code = await this.#codes.get(version);
    const { engine, owner } = this.#options;
    this.#makeRoom();
    const placement = this.#placements.of(version);
    const start = new Start(code.spec, { at: owner.now(), cold });
    const profiling = this.#profiling?.concerns(code.spec) === true ? this.#profiling : undefined;
    let instance: Instance;
    try {
      const isProfiled = profiling !== undefined;
      const started = await startGuest(engine, code, { isLong: placement.place === 'long', start, isProfiled });
      instance = new Instance(started, code.spec, { owner, placement });
      profiling?.add(instance);
    } catch (error) {
      if (error instanceof LoadError) {
        owner.onStarted(start.toRecord(error.exceededCpu ? 'exceededCpu' : 'exception', 0));
      }
      throw error;
    }
    owner.onStarted(start.toRecord('ok', instance.measure()));
    if (this.#disposals !== disposals) await this.#confirm(instance);
    this.#live.set(version, instance);
    return instance;
  }

  /** Disposes it when the host does not give its code any more. */
  async #confirm(instance: Instance): Promise<void> {
    const { id } = instance.spec;
    this.#codes.forget((spec) => spec.id === id);
    try {
      await this.#codes.get(id);
    } catch (error) {
      instance.dispose();
      throw error;
    }
  }

  #makeRoom(): void {
    if (this.#live.size >= MAX_LIVE) this.#evictIdle(() => this.#live.size < MAX_LIVE);
  }

  #keepBudget(): void {
    const budget = this.#options.memoryBudgetBytes;
    this.#measure(budget);
    let bytes = 0;
    for (const instance of this.#live.values()) bytes += bytesOf(instance);
    this.#evictIdle((freed) => bytes - freed <= budget);
  }

  /** One that has not been entered since it was measured holds what it held. Of many that have, some have their turn. */
  #measure(budget: number): void {
    const due: Instance[] = [];
    for (const instance of this.#live.values()) if (instance.lastUsed > instance.measuredAt) due.push(instance);
    if (due.length <= MAX_MEASURED || process.memoryUsage.rss() > budget * NEARLY_FULL) {
      for (const instance of due) instance.measure();
      return;
    }
    for (let count = 0; count < MAX_MEASURED; count++) due[(this.#measuredUpTo + count) % due.length]!.measure();
    this.#measuredUpTo = (this.#measuredUpTo + MAX_MEASURED) % due.length;
  }

  #evictIdle(enough: (freedBytes: number) => boolean): void {
    let freed = 0;
    if (enough(freed)) return;
    const idle = [...this.#live].filter(([, instance]) => instance.idle);
    for (const [version, instance] of idle.toSorted(([, a], [, b]) => a.lastUsed - b.lastUsed)) {
      if (enough(freed)) return;
      freed += bytesOf(instance);
      this.#live.delete(version);
      instance.dispose();
      this.#evicted++;
      const { account, worker } = instance.spec;
      if (this.#evictions.length < MAX_EVICTIONS) this.#evictions.push([account, worker]);
    }
  }
}

/** What it holds, as it was last measured. */
export function bytesOf({ heapBytes, heldBytes, services }: Instance): number {
  return heapBytes + heldBytes + services.heldBytes + ISOLATE_OVERHEAD_BYTES;
}

/** What the guest runtime needs to know of a version. */
export function toConfigureOptions(spec: VersionSpec): ConfigureOptions {
  const { compatibilityDate, compatibilityFlags, limits } = spec;
  const bindings = spec.bindings.map((binding) => toBindingOptions(binding, spec));
  return { bindings, compatibilityDate, compatibilityFlags, subrequests: limits.subrequests };
}

function toBindingOptions(binding: Binding, spec: VersionSpec): BindingOptions {
  switch (binding.type) {
    case 'plain_text':
    case 'json':
      return binding;
    case 'secret_text':
      return { type: 'plain_text', name: binding.name, text: binding.text }; // the guest sees a string either way
    case 'assets':
    case 'service':
      return { type: binding.type, name: binding.name };
    case 'kv_namespace':
      return { type: binding.type, name: binding.name };
    case 'version_metadata':
      return { type: 'version_metadata', name: binding.name, id: spec.id, tag: spec.tag, timestamp: spec.createdOn };
    case 'wasm_module':
    case 'text_blob':
    case 'data_blob':
      return { type: 'part', name: binding.name, part: binding.part };
    default:
      throw new Error(`Unknown kind of binding: ${(binding as Binding).type}`);
  }
}

/**
 * An isolate with the code started in it. Most code starts in well under a millisecond: that is done inline, and only
 * what takes longer is started again, on the pool, with the whole budget. Throws LoadError.
 */
async function startGuest(
  engine: Engine,
  code: VersionCode,
  { isLong, start, isProfiled = false }: { isLong: boolean; start?: Start; isProfiled?: boolean },
): Promise<LoadedGuest> {
  if (!isLong) {
    try {
      return await loadGuest(engine, code, { inline: true, budgetUs: INLINE_STARTUP_US, start, isProfiled });
    } catch (error) {
      if (!(error instanceof LoadError && error.exceededCpu)) throw error;
    }
  }
  return await loadGuest(engine, code, { inline: false, budgetUs: STARTUP_CPU_MS * 1e3, start, isProfiled });
}

interface LoadedGuest extends StartedGuest {
  readonly handlers: readonly string[];
}

async function loadGuest(
  engine: Engine,
  code: VersionCode,
  { start, isProfiled, ...where }: { inline: boolean; budgetUs: number; start: Start | undefined; isProfiled: boolean },
): Promise<LoadedGuest> {
  const { guest, services } = acquireGuest(engine, code, isProfiled);
  try {
    const handlers = await guest.load(code, toConfigureOptions(code.spec), { ...where, cache: engine.cache });
    return { guest, services, handlers };
  } catch (error) {
    services.dispose();
    throw error;
  } finally {
    // An attempt that was given up is not billed: to try twice is our doing.
    if (start !== undefined) start.cpuUs = guest.cpuUs;
  }
}

/** Start-up code has no I/O, but may parse a URL or make a hash; its CPU time is the start-up's. */
function acquireGuest(engine: Engine, code: VersionCode, isProfiled: boolean): StartedGuest {
  const { memoryMiB } = code.spec.limits;
  const guest = isProfiled
    ? engine.acquireForProfile(memoryMiB)
    : engine.acquire(memoryMiB, code.modules.some(namesStreams) ? 'streams' : 'plain');
  engine.occupy(guest, code.spec.id);
  const services = new Services(code.spec.limits);
  guest.handler = {
    host: () => {},
    hostSync: (op, a, b, c) => (op === HOST_SYNC.random ? undefined : handleHostQuestion(services, op, [a, b, c])),
  };
  return { guest, services };
}

/** Code that names streams may well make some: loading them on first use would cost it 3 ms. */
function namesStreams({ kind, content }: ModuleSource): boolean {
  if (kind !== 'esm' && kind !== 'cjs' && kind !== 'script') return false;
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return text.includes('Stream') || text.includes('.body');
}

/** Starts the code once, in an isolate of its own, and throws it away. Throws LoadError with the position. */
export async function checkCode(
  engine: Engine,
  code: VersionCode,
): Promise<{ startupMs: number; handlers: readonly string[] }> {
  const { guest, services, handlers } = await startGuest(engine, code, { isLong: false });
  const startupMs = Math.round(guest.cpuUs / 100) / 10;
  services.dispose();
  guest.dispose();
  return { startupMs, handlers };
}
