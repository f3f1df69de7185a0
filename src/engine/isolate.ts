/** One isolate with the guest runtime in it. Serves one version of one tenant for its whole life. */
import type ivm from 'isolated-vm';
import { type ConfigureOptions, ENTER, type GuestEntryPoints, HOST, HOST_SYNC } from '../guest/abi.ts';
import { DEFAULT_LIMITS, STARTUP_CPU_MS } from '../limits.ts';
import type { VersionCode } from '../model.ts';
import type { CodeCache } from './code-cache.ts';
import { CpuProfiler } from './cpu-profiler.ts';
import { DynamicImports } from './dynamic-imports.ts';
import type { GuestBytes } from './guest-bytes.ts';
import type { Lane, LanePriority } from './lane.ts';
import { describeRejection, EXCEEDED_CPU, LoadError, toLoadError } from './load-error.ts';
import { ModuleGraph } from './modules.ts';
import { StepRunner, type Steps } from './steps.ts';
import { INLINE, LANE } from './watch-words.ts';
import type { Watchdog } from './watchdog.ts';

/** How an entry ended. Every other than `ok` and `threw` means that the isolate is gone. */
export const ENTRY = {
  ok: 0,
  /** It used up its CPU budget. */
  exceededCpu: 1,
  /** The isolate passed its memory limit. */
  exceededMemory: 2,
  /** Disposed by its owner. */
  disposed: 3,
  /** An error came out although guest code catches everything: an unhandled rejection. `lastError` has it. */
  threw: 4,
} as const;
export type EntryResult = (typeof ENTRY)[keyof typeof ENTRY];

/** Where the guest's host calls go. Arguments come from the tenant's isolate: check before use. */
export interface HostHandler {
  host(op: number, id: number, a: unknown, b: unknown, c: unknown, d: unknown): void;
  hostSync(op: number, a: unknown, b: unknown, c: unknown): unknown;
}

export interface GuestHeap {
  /** V8 heap in use and ArrayBuffers, in bytes. */
  readonly usedBytes: number;
}

export interface HeapStatistics {
  /** Objects, living or not yet collected. */
  readonly usedHeapBytes: number;
  /** What V8 has taken for them. */
  readonly totalHeapBytes: number;
  readonly heapLimitBytes: number;
  /** ArrayBuffers. */
  readonly externalBytes: number;
  /** V8's own, outside its heap. */
  readonly mallocedBytes: number;
  /** Compiled code, of `totalHeapBytes`. */
  readonly executableBytes: number;
}

/** What may be given to an entry: it is copied. Bytes are wrapped by `toGuestBytes`. */
export type GuestArgument = string | number | undefined | GuestBytes;

type EntryArguments = readonly [op: number, id: number, a: GuestArgument, b: GuestArgument, c: GuestArgument];

type EnterParameters = [...EntryArguments, now: number, pooled: boolean];

export interface GuestParts {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly entryPoints: ivm.Reference<GuestEntryPoints>;
  readonly memoryMiB: number;
  readonly slot: number;
  readonly watchdog: Watchdog;
  readonly lane: Lane;
  readonly now: () => number;
  readonly onDispose: (slot: number) => void;
}

/** Stands for the event of a host call that is made at start-up, or while a module is evaluated. */
const NO_INVOCATION = 0;
const USUAL_FADES = 0.95; // with each entry: one of a millisecond is remembered for 30 short ones
const PROFILED_WALL_SHARE = 2; // of its budget: an entry that is profiled is ended by the wall clock, which may be a busy one
const PROFILED_WALL_MARGIN_MS = 500; // and the machine may have had other things to do
const PROFILED_GRACE_US = 1_000_000; // of CPU time, until an entry that its timeout could not stop ends the process
const PROFILED_MEMORY_SHARE = 2; // of its limit: with room to grow, V8 lets more garbage lie
const MIB = 1024 * 1024;
const TIMED_OUT = 'Script execution timed out.'; // isolated-vm's words
const LONG_US = 200; // an entry that may be interrupted, by who is next: one µs more to read its clock is little then

export interface LoadOptions {
  readonly inline: boolean;
  readonly budgetUs: number;
  readonly cache: CodeCache;
}

export class GuestIsolate {
  /** Why the last entry ended with `threw`, as ENTER.rejection takes it. */
  lastError = '';
  /** CPU time of the last entry, in µs. */
  entryCpuUs = 0;
  /** Set once, by whoever takes the isolate out of the pool of spares. */
  handler: HostHandler | undefined;
  readonly #parts: GuestParts;
  readonly #enter: ivm.Reference<(...parameters: EnterParameters) => unknown>;
  /** Of the version that has been loaded. */
  #modules: ModuleGraph | undefined;
  /** Once the guest has asked for a module. */
  #imports: DynamicImports | undefined;
  /** What it asks of its host is asked by an entry on the lane. */
  #onLane = false;
  /** CPU time of calls beside the steps of the entry under way, in µs; and whether one has used up what it may. */
  #asideUs = 0;
  #asideCondemned = false;
  #disposed = false;
  #profiler: CpuProfiler | undefined;
  #cpuUs = 0;
  /** What its longer entries have used of late, in µs. */
  #usualUs = 0;

  constructor(parts: GuestParts) {
    this.#parts = parts;
    this.#enter = parts.entryPoints.getSync('enter', { reference: true });
  }

  /** CPU time of this isolate's whole life up to its last entry, in µs. */
  get cpuUs(): number {
    return this.#cpuUs;
  }

  /** CPU time of its entry on the lane so far, in µs; 0 when there is none. */
  get laneUs(): number {
    return this.#onLane ? this.#parts.watchdog.laneUs : 0;
  }

  /** Whether the lane has an entry now that may use more CPU time than `budgetUs`. */
  isLaneTakenBeyond(budgetUs: number): boolean {
    return this.#parts.lane.isTakenBeyond(budgetUs);
  }

  /** By which the watchdog names it. Used again by another when it has been disposed. */
  get slot(): number {
    return this.#parts.slot;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Enters on this thread; everything else here waits until it has ended, at most `budgetUs` of CPU time. No other entry
   * may be under way on the pool.
   */
  enter(budgetUs: number, [op, id, a, b, c]: EntryArguments): EntryResult {
    const { watchdog, slot, now } = this.#parts;
    if (op === ENTER.import) return this.#runNow(budgetUs, this.#import(id, a, b));
    if (this.#profiler !== undefined) return this.#enterProfiled(budgetUs, [op, id, a, b, c, now(), false]);
    const sequence = watchdog.begin(INLINE, slot, budgetUs, this.#usualUs >= LONG_US);
    let failure: unknown;
    try {
      this.#enter.applySync(undefined, [op, id, a, b, c, now(), false]);
    } catch (error) {
      failure = error;
    }
    const keptBudget = watchdog.end(INLINE, sequence);
    return this.#settleImports(budgetUs, this.#result(keptBudget, watchdog.usedUs, failure), failure);
  }

  /** Enters on a pool thread, when the lane is free. One at a time per isolate: the caller queues. */
  async enterPooled(priority: LanePriority, budgetUs: number, parameters: EntryArguments): Promise<EntryResult> {
    const { watchdog, lane, slot, now } = this.#parts;
    await lane.acquire(priority);
    lane.setBudget(budgetUs);
    this.#onLane = true;
    try {
      if (this.#disposed) return ENTRY.disposed;
      const [op, id, a, b, c] = parameters;
      if (op === ENTER.import) return await this.#runPooled(budgetUs, this.#import(id, a, b));
      const sequence = watchdog.begin(LANE, slot, budgetUs);
      let failure: unknown;
      try {
        await this.#enter.apply(undefined, [op, id, a, b, c, now(), true]);
      } catch (error) {
        failure = error;
      }
      const keptBudget = watchdog.end(LANE, sequence);
      const result = this.#result(keptBudget, watchdog.usedUs, failure);
      if (result !== ENTRY.threw || this.#imports?.hasUnsettled !== true) return result;
      return await this.#runPooled(budgetUs - this.entryCpuUs, this.#imports.rethrow(failure), this.entryCpuUs);
    } finally {
      this.#onLane = false;
      lane.release();
    }
  }

  /**
   * Loads a version, on the pool or inline, within `budgetUs` of CPU time. Returns the names of its handlers. Throws
   * LoadError; the isolate has been disposed then. Start-up code has no I/O, so that it can be tried inline with a small
   * budget first, and in another isolate on the pool with the whole one.
   */
  async load(code: VersionCode, configure: ConfigureOptions, options: LoadOptions): Promise<string[]> {
    const { lane } = this.#parts;
    if (!options.inline) {
      await lane.acquire('unknown');
      lane.setBudget(options.budgetUs);
      this.#onLane = true;
    }
    try {
      return await this.#load(code, configure, options);
    } catch (error) {
      this.dispose();
      throw toLoadError(error);
    } finally {
      this.#onLane = false;
      if (!options.inline) lane.release();
    }
  }

  /** A host call. What modules ask for while they are evaluated is nobody's event, and seen to here. */
  receive(op: number, id: number, a: unknown, b: unknown, c: unknown, d: unknown): void {
    if (this.#onLane) this.#parts.watchdog.chargeLane(() => this.#receive(op, id, a, b, c, d));
    else this.#receive(op, id, a, b, c, d);
  }

  /** A question that is answered at once. */
  answer(op: number, a: unknown, b: unknown, c: unknown): unknown {
    return this.#onLane ? this.#parts.watchdog.chargeLane(() => this.#answer(op, a, b, c)) : this.#answer(op, a, b, c);
  }

  /** Memory this isolate holds. Walks no heap: counters of V8 and of the ArrayBuffer allocator. About 20 µs. */
  heap(): GuestHeap {
    if (this.#disposed) return { usedBytes: 0 };
    const { isolate } = this.#parts;
    const statistics = isolate.getHeapStatisticsSync();
    return { usedBytes: statistics.total_heap_size + statistics.externally_allocated_size };
  }

  /** What V8 counts, in bytes. Nothing may be running in the isolate: it would be waited for. About 20 µs. */
  heapStatistics(): HeapStatistics {
    const statistics = this.#parts.isolate.getHeapStatisticsSync();
    return {
      usedHeapBytes: statistics.used_heap_size,
      totalHeapBytes: statistics.total_heap_size,
      heapLimitBytes: statistics.heap_size_limit,
      externalBytes: statistics.externally_allocated_size,
      mallocedBytes: statistics.malloced_memory,
      executableBytes: statistics.total_heap_size_executable,
    };
  }

  /** All entries must be inline. */
  get isProfiled(): boolean {
    return this.#profiler !== undefined;
  }

  /** Begins a CPU profile, a sample each `intervalUs`. The isolate must have been acquired for it, and be idle. */
  startProfile(intervalUs: number): void {
    if (this.#profiler !== undefined) return;
    // Known before it starts: the isolate must not be disposed of as others are when it fails to.
    this.#profiler = new CpuProfiler(this.#parts);
    this.#profiler.start(intervalUs);
  }

  /** Resolves to the profile since `startProfile`, as JSON; also after `dispose`. Once for each isolate. */
  async stopProfile(): Promise<string> {
    if (this.#profiler === undefined) throw new Error('Cannot stop a CPU profile: none was started');
    return await this.#profiler.stop();
  }

  /** Ends whatever runs in the isolate and frees it. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#profiler === undefined) this.#free();
    else void this.#freeProfiled(this.#profiler);
  }

  /** Not while a profiler is at work in it. One that does not let go is left alone: the process is there for it, and ends soon. */
  async #freeProfiled(profiler: CpuProfiler): Promise<void> {
    await profiler.stop().catch(() => {});
    if (!profiler.isAttached || this.#parts.isolate.isDisposed) this.#free();
  }

  #free(): void {
    try {
      this.#parts.isolate.dispose();
    } catch {
      // Already disposed by the warden or by V8's memory limit.
    }
    this.#parts.onDispose(this.#parts.slot);
  }

  #receive(op: number, id: number, a: unknown, b: unknown, c: unknown, d: unknown): void {
    if (op === HOST.import && a === NO_INVOCATION) {
      this.#dynamicImports().add({ id, asker: b as number, specifier: typeof c === 'string' ? c : '' });
    } else this.handler?.host(op, id, a, b, c, d);
  }

  #answer(op: number, a: unknown, b: unknown, c: unknown): unknown {
    if (op !== HOST_SYNC.resolve) return this.handler?.hostSync(op, a, b, c);
    return this.#modules?.resolveRequire(a as number, typeof b === 'string' ? b : '');
  }

  /**
   * The isolate must outlive an entry that passes a limit, or the profile would be lost with it: so isolated-vm's timeout
   * ends it, by the wall clock, and what that cannot end ends the process. What it used beyond its budget is our doing, and
   * not counted. Memory is looked at when it has ended.
   */
  #enterProfiled(budgetUs: number, parameters: EnterParameters): EntryResult {
    const { watchdog, slot } = this.#parts;
    const timeout = Math.ceil((budgetUs * PROFILED_WALL_SHARE) / 1e3) + PROFILED_WALL_MARGIN_MS;
    const sequence = watchdog.beginKept(slot, timeout * 1e3 + PROFILED_GRACE_US);
    let failure: unknown;
    try {
      this.#enter.applySync(undefined, parameters, { timeout });
    } catch (error) {
      failure = error;
    }
    watchdog.end(INLINE, sequence);
    const { usedUs } = watchdog;
    const timedOut = failure instanceof Error && failure.message === TIMED_OUT;
    const entered = this.#result(!timedOut && usedUs <= budgetUs, Math.min(usedUs, budgetUs), failure);
    const result = this.#settleImports(budgetUs, entered, failure);
    return this.#holdsTooMuch() ? this.#giveUpProfiled() : result;
  }

  #holdsTooMuch(): boolean {
    return !this.#disposed && this.heap().usedBytes > this.#parts.memoryMiB * MIB * PROFILED_MEMORY_SHARE;
  }

  #giveUpProfiled(): EntryResult {
    this.dispose();
    return ENTRY.exceededMemory;
  }

  #result(keptBudget: boolean, usedUs: number, failure: unknown): EntryResult {
    this.entryCpuUs = usedUs;
    this.#usualUs = Math.max(usedUs, this.#usualUs * USUAL_FADES);
    this.#cpuUs += usedUs;
    if (!keptBudget) {
      this.dispose();
      return ENTRY.exceededCpu;
    }
    if (failure === undefined) return ENTRY.ok;
    if (this.#parts.isolate.isDisposed) return this.#lost(failure);
    this.lastError = describeRejection(failure);
    return ENTRY.threw;
  }

  /** The isolate ended during the entry, and not by its CPU budget. */
  #lost(failure: unknown): EntryResult {
    const wasOurs = this.#disposed;
    this.dispose();
    const outOfMemory = failure instanceof Error && failure.message.includes('memory limit');
    return outOfMemory && !wasOurs ? ENTRY.exceededMemory : ENTRY.disposed;
  }

  /** What an entry inline left unhandled may be the failure of a module that somebody waits for. */
  #settleImports(budgetUs: number, result: EntryResult, failure: unknown): EntryResult {
    if (result !== ENTRY.threw || this.#imports?.hasUnsettled !== true) return result;
    return this.#runNow(budgetUs - this.entryCpuUs, this.#imports.rethrow(failure), this.entryCpuUs);
  }

  #runNow(budgetUs: number, steps: Steps, spentUs = 0): EntryResult {
    const runner = this.#createRunner(budgetUs);
    let failure: unknown;
    try {
      runner.now(steps);
    } catch (error) {
      failure = error;
    }
    return this.#resultOfSteps(runner, failure, spentUs);
  }

  async #runPooled(budgetUs: number, steps: Steps, spentUs = 0): Promise<EntryResult> {
    const runner = this.#createRunner(budgetUs);
    let failure: unknown;
    try {
      await runner.pooled(steps);
    } catch (error) {
      failure = error;
    }
    return this.#resultOfSteps(runner, failure, spentUs);
  }

  /** `spentUs`: by the entry that the steps belong to, before them. */
  #resultOfSteps({ condemned, usedUs }: StepRunner, failure: unknown, spentUs: number): EntryResult {
    const result = this.#result(!condemned && !this.#asideCondemned, usedUs + this.#asideUs, failure);
    this.#asideUs = 0;
    this.entryCpuUs += spentUs;
    return result;
  }

  /** For what the pool cannot be asked for: on this thread, watched, with as much as an entry usually has. */
  #callAside<T>(call: () => T): T {
    const { watchdog, slot } = this.#parts;
    if (watchdog.isInside) return call();
    const budgetUs = DEFAULT_LIMITS.cpuMs * 1e3;
    const sequence = this.isProfiled
      ? watchdog.beginKept(slot, budgetUs + PROFILED_GRACE_US)
      : watchdog.begin(INLINE, slot, budgetUs);
    try {
      return call();
    } finally {
      const isKept = watchdog.end(INLINE, sequence);
      if (!isKept || (this.isProfiled && watchdog.usedUs > budgetUs)) this.#asideCondemned = true;
      this.#asideUs += watchdog.usedUs;
    }
  }

  #createRunner(budgetUs: number): StepRunner {
    const { isolate, watchdog, slot } = this.#parts;
    return new StepRunner({
      isolate,
      watchdog,
      slot,
      budgetUs,
      ...(this.isProfiled && { graceUs: PROFILED_GRACE_US }),
    });
  }

  /** Brings a module that an event has asked for. */
  #import(id: number, asker: GuestArgument, specifier: GuestArgument): Steps {
    const text = typeof specifier === 'string' ? specifier : '';
    return this.#dynamicImports().run({ id, asker: Number(asker), specifier: text });
  }

  #dynamicImports(): DynamicImports {
    this.#imports ??= new DynamicImports(this.#modules!, (op, id, a, b) => {
      const enter = this.#enter;
      const { now } = this.#parts;
      return {
        now: () => enter.applySync(undefined, [op, id, a, b, undefined, now(), false]),
        pooled: () => enter.apply(undefined, [op, id, a, b, undefined, now(), true]),
      };
    });
    return this.#imports;
  }

  async #load(code: VersionCode, configure: ConfigureOptions, options: LoadOptions): Promise<string[]> {
    const { isolate, context, entryPoints } = this.#parts;
    this.#modules = new ModuleGraph({ isolate, context, entryPoints, callAside: (call) => this.#callAside(call) });
    const runner = this.#createRunner(options.budgetUs);
    const steps = this.#start(this.#modules, { code, configure, cache: options.cache });
    try {
      const handlers = options.inline ? runner.now(steps) : await runner.pooled(steps);
      return handlers.split(',').filter((name) => name !== '');
    } catch (error) {
      throw runner.condemned || this.#parts.isolate.isDisposed ? toStartupError(error) : error;
    } finally {
      this.#cpuUs += runner.usedUs + this.#asideUs;
      this.#asideUs = 0;
    }
  }

  *#start(
    modules: ModuleGraph,
    { code, configure, cache }: { code: VersionCode; configure: ConfigureOptions; cache: CodeCache },
  ): Steps<string> {
    const main = yield* modules.load(code, configure, cache);
    // Asked for by the modules at their top level.
    if (this.#imports !== undefined) yield* this.#imports.settle();
    return yield modules.attach(main);
  }
}

function toStartupError(error: unknown): LoadError {
  if (error instanceof Error && error.message.includes('memory limit')) {
    return new LoadError('Script startup exceeded memory limit.');
  }
  return new LoadError(`Script startup exceeded CPU time limit: it used more than ${STARTUP_CPU_MS} ms.`, {
    cause: EXCEEDED_CPU,
  });
}
