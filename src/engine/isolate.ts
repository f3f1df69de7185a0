/** One isolate with the guest runtime in it. Serves one version of one tenant for its whole life. */
import ivm from 'isolated-vm';
import type { AttachOptions, GuestEntryPoints } from '../guest/abi.ts';
import { STARTUP_CPU_MS } from '../limits.ts';
import type { VersionCode } from '../model.ts';
import type { CodeCache } from './code-cache.ts';
import type { Lane, LanePriority } from './lane.ts';
import { EXCEEDED_CPU, LoadError, toLoadError } from './load-error.ts';
import { type DataKind, type ModuleHost, loadModules } from './modules.ts';
import { INLINE, LANE, type Runner } from './watch-words.ts';
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

/** What may be given to an entry: it is copied. Bytes are wrapped by `toGuestBytes`. */
export type GuestArgument = string | number | undefined | GuestBytes;
export type GuestBytes = ivm.Copy<ArrayBuffer>;

type EntryArguments = readonly [op: number, id: number, a: GuestArgument, b: GuestArgument, c: GuestArgument];

export interface GuestParts {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly entryPoints: ivm.Reference<GuestEntryPoints>;
  readonly slot: number;
  readonly watchdog: Watchdog;
  readonly lane: Lane;
  readonly now: () => number;
  readonly onDispose: (slot: number) => void;
}

export class GuestIsolate {
  /** The message of the last entry that ended with `threw`. */
  lastError = '';
  /** CPU time of the last entry, in µs. */
  entryCpuUs = 0;
  /** Set once, by whoever takes the isolate out of the pool of spares. */
  handler: HostHandler | undefined;
  readonly #parts: GuestParts;
  readonly #enter: ivm.Reference<(...parameters: [...EntryArguments, now: number, pooled: boolean]) => void>;
  #disposed = false;
  #cpuUs = 0;
  #enteredAt = 0;

  constructor(parts: GuestParts) {
    this.#parts = parts;
    this.#enter = parts.entryPoints.getSync('enter', { reference: true });
  }

  /** CPU time of this isolate's whole life up to its last entry, in µs. */
  get cpuUs(): number {
    return this.#cpuUs;
  }

  /** Whether the lane has an entry now that may use more CPU time than `budgetUs`. */
  isLaneTakenBeyond(budgetUs: number): boolean {
    return this.#parts.lane.isTakenBeyond(budgetUs);
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
    this.#enteredAt = performance.now();
    const sequence = watchdog.begin(INLINE, slot, budgetUs);
    let failure: unknown;
    try {
      this.#enter.applySync(undefined, [op, id, a, b, c, now(), false]);
    } catch (error) {
      failure = error;
    }
    return this.#result(INLINE, watchdog.end(INLINE, sequence), failure);
  }

  /** Enters on a pool thread, when the lane is free. One at a time per isolate: the caller queues. */
  async enterPooled(priority: LanePriority, budgetUs: number, parameters: EntryArguments): Promise<EntryResult> {
    const { watchdog, lane, slot, now } = this.#parts;
    await lane.acquire(priority);
    lane.setBudget(budgetUs);
    try {
      if (this.#disposed) return ENTRY.disposed;
      const [op, id, a, b, c] = parameters;
      this.#enteredAt = performance.now();
      const sequence = watchdog.begin(LANE, slot, budgetUs);
      let failure: unknown;
      try {
        await this.#enter.apply(undefined, [op, id, a, b, c, now(), true]);
      } catch (error) {
        failure = error;
      }
      return this.#result(LANE, watchdog.end(LANE, sequence), failure);
    } finally {
      lane.release();
    }
  }

  /**
   * Loads a version, on the pool or inline, within `budgetUs` of CPU time. Returns the names of its handlers. Throws
   * LoadError; the isolate has been disposed then. Start-up code has no I/O, so that it can be tried inline with a small
   * budget first, and in another isolate on the pool with the whole one.
   */
  async load(
    code: VersionCode,
    attach: AttachOptions,
    options: { inline: boolean; budgetUs: number; cache: CodeCache },
  ): Promise<string[]> {
    const { lane } = this.#parts;
    if (!options.inline) {
      await lane.acquire('unknown');
      lane.setBudget(options.budgetUs);
    }
    try {
      const host = this.#moduleHost(options.inline ? INLINE : LANE, options.budgetUs);
      const main = await loadModules(host, code, options.cache);
      const handlers = await this.#attach(host, main, attach);
      this.#count();
      return handlers;
    } catch (error) {
      this.dispose();
      throw toLoadError(error);
    } finally {
      if (!options.inline) lane.release();
    }
  }

  /** Memory this isolate holds. Walks no heap: counters of V8 and of the ArrayBuffer allocator. About 20 µs. */
  heap(): GuestHeap {
    if (this.#disposed) return { usedBytes: 0 };
    const { isolate } = this.#parts;
    const statistics = isolate.getHeapStatisticsSync();
    return { usedBytes: statistics.total_heap_size + statistics.externally_allocated_size };
  }

  /** Ends whatever runs in the isolate and frees it. Idempotent. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    try {
      this.#parts.isolate.dispose();
    } catch {
      // Already disposed by the warden or by V8's memory limit.
    }
    this.#parts.onDispose(this.#parts.slot);
  }

  #result(runner: Runner, keptBudget: boolean, failure: unknown): EntryResult {
    if (!keptBudget) {
      this.entryCpuUs = this.#parts.watchdog.usedUs(runner);
      this.dispose();
      return ENTRY.exceededCpu;
    }
    if (failure !== undefined && this.#parts.isolate.isDisposed) return this.#lost(failure);
    this.#count();
    if (failure === undefined) return ENTRY.ok;
    this.lastError = failure instanceof Error ? (failure.stack ?? failure.message) : typeof failure;
    return ENTRY.threw;
  }

  /** The isolate ended during the entry, and not by its CPU budget. */
  #lost(failure: unknown): EntryResult {
    // Its own clock is gone with it. No entry uses more CPU time than passes on the wall.
    this.entryCpuUs = (performance.now() - this.#enteredAt) * 1e3;
    const wasOurs = this.#disposed;
    this.dispose();
    const outOfMemory = failure instanceof Error && failure.message.includes('memory limit');
    return outOfMemory && !wasOurs ? ENTRY.exceededMemory : ENTRY.disposed;
  }

  #count(): void {
    if (this.#parts.isolate.isDisposed) return; // meanwhile: its clock cannot be read any more
    const cpuUs = Number(this.#parts.isolate.cpuTime) / 1e3;
    this.entryCpuUs = cpuUs - this.#cpuUs;
    this.#cpuUs = cpuUs;
  }

  #moduleHost(runner: Runner, budgetUs: number): ModuleHost {
    const { isolate, context, entryPoints, watchdog, slot } = this.#parts;
    const startedAtUs = Number(isolate.cpuTime) / 1e3;
    const step = async <T>(now: () => T, pooled: () => Promise<T>): Promise<T> => {
      const sequence = watchdog.begin(
        runner,
        slot,
        Math.max(budgetUs - (Number(isolate.cpuTime) / 1e3 - startedAtUs), 1),
      );
      let failure: unknown;
      let value: T | undefined;
      try {
        value = runner === INLINE ? now() : await pooled();
      } catch (error) {
        failure = error;
      }
      if (!watchdog.end(runner, sequence)) throw this.#startupError(undefined);
      if (failure === undefined) return value as T;
      throw isolate.isDisposed ? this.#startupError(failure) : failure;
    };
    const provideReference = entryPoints.getSync('provide', { reference: true });
    const provide = (kind: DataKind, bytes: Uint8Array): Promise<number> => {
      const parameters: [DataKind, GuestBytes] = [kind, toGuestBytes(bytes)];
      return step(
        () => provideReference.applySync(undefined, parameters),
        () => provideReference.apply(undefined, parameters),
      );
    };
    const exposeTake = () => {
      const take = entryPoints.getSync('take', { reference: true });
      context.global.setSync('__isola_take', take.derefInto());
    };
    return { isolate, context, provide, exposeTake, step };
  }

  async #attach(host: ModuleHost, main: ivm.Module, attach: AttachOptions): Promise<string[]> {
    const reference: ivm.Reference<(namespace: ivm.Dereference<unknown>, optionsJson: string) => string> =
      this.#parts.entryPoints.getSync('attach', { reference: true });
    const parameters: [ivm.Dereference<unknown>, string] = [main.namespace.derefInto(), JSON.stringify(attach)];
    const handlers = await host.step(
      () => reference.applySync(undefined, parameters),
      () => reference.apply(undefined, parameters),
    );
    return handlers.split(',').filter((name) => name !== '');
  }

  #startupError(error: unknown): LoadError {
    if (error instanceof Error && error.message.includes('memory limit')) {
      return new LoadError('Script startup exceeded memory limit.');
    }
    return new LoadError(`Script startup exceeded CPU time limit: it used more than ${STARTUP_CPU_MS} ms.`, {
      cause: EXCEEDED_CPU,
    });
  }
}

/** Wraps a copy of `bytes` for use as an argument of an entry. */
export function toGuestBytes(bytes: Uint8Array): GuestBytes {
  // Not bytes.slice(): of a Buffer that is a view of the shared pool, and detaching the pool aborts the process.
  const copy = new Uint8Array(bytes).buffer;
  return new ivm.ExternalCopy(copy, { transferList: [copy] }).copyInto({ release: true, transferIn: true });
}
