/** Makes isolates, keeps spares ready, and holds what they share: snapshot, watchdog, lane, code cache. */
import { gunzipSync } from 'node:zlib';
import ivm from 'isolated-vm';
import { type BootOptions, type GuestEntryPoints, HOST_SYNC } from '../guest/abi.ts';
import { DEFAULT_LIMITS, MAX_MEMORY_MIB, MAX_PENDING_HOST_CALLS, MAX_TIMERS, MAX_WASM_INSTANCES } from '../limits.ts';
import { CodeCache } from './code-cache.ts';
import { endInOrder } from './exit.ts';
import { GuestIsolate } from './isolate.ts';
import { Lane } from './lane.ts';
import { Occupants } from './occupants.ts';
import { type GuestSource, type Snapshot, type Variant, createGuestSnapshot } from './snapshot.ts';
import { Spares } from './spares.ts';
import { compileTextKernel, toTransfer } from './text-kernel.ts';
import { Watchdog, type WatchdogOptions } from './watchdog.ts';

export interface EngineOptions {
  readonly guest: GuestSource;
  /** Isolates kept ready for the next Worker. Each costs 2.2 MB. */
  readonly spares: number;
  readonly onStuck: WatchdogOptions['onStuck'];
  /** V8 has lost control of an isolate: finish and end the process soon. */
  readonly onCatastrophe: (message: string, version: string | undefined) => void;
  /** Wall clock in ms, shown to guests. */
  readonly now: () => number;
}

const PROFILED_HEAP_MIB = 8 * MAX_MEMORY_MIB; // never reached

/** Isolates of one variant. */
interface Stock {
  readonly snapshot: Snapshot | undefined;
  readonly spares: Spares;
}

export class Engine {
  readonly cache = new CodeCache();
  readonly #options: EngineOptions;
  readonly #occupants: Occupants;
  readonly #watchdog: Watchdog;
  readonly #lane = new Lane();
  readonly #assets = new Map<string, ArrayBuffer>();
  readonly #textKernel = compileTextKernel();
  readonly #plain: Stock;
  /** Made when the first Worker needs it: another 50 ms. */
  #streams: Stock | undefined;

  private constructor(options: EngineOptions, watchdog: Watchdog, occupants: Occupants) {
    this.#occupants = occupants;
    this.#options = options;
    this.#watchdog = watchdog;
    this.#plain = this.#createStock('plain');
  }

  static async start(options: EngineOptions): Promise<Engine> {
    endInOrder();
    const occupants = new Occupants();
    const watchdog = await Watchdog.start({ onStuck: options.onStuck, occupants });
    const engine = new Engine(options, watchdog, occupants);
    engine.#plain.spares.fill();
    return engine;
  }

  /** Whether isolates come from a snapshot (else they are six times slower to make). */
  get usesSnapshot(): boolean {
    return this.#plain.snapshot !== undefined;
  }

  /** Isolates that are ready for a Worker. */
  get spares(): number {
    return this.#plain.spares.count + (this.#streams?.spares.count ?? 0);
  }

  /** An isolate with the guest runtime and no tenant: a spare if there is one, else made now (about 5 ms). */
  acquire(memoryMiB: number, variant: Variant): GuestIsolate {
    const stock = variant === 'plain' ? this.#plain : (this.#streams ??= this.#createStock(variant));
    return memoryMiB === DEFAULT_LIMITS.memoryMiB ? stock.spares.take() : this.#create(memoryMiB, stock.snapshot);
  }

  /**
   * One that can be profiled: made now, and no spare, as it is slower and larger. V8 does not keep it to its memory limit:
   * an isolate that V8 ends while it is profiled takes this thread along (cpu-profiler.ts). What an entry leaves is looked
   * at; for what one takes while it runs, the process must be watched.
   */
  acquireForProfile(memoryMiB: number): GuestIsolate {
    return this.#create(memoryMiB, this.#plain.snapshot, { isForProfile: true });
  }

  /** The isolate gets this version's code now: told by the watchdog when the process has to end because of it. */
  occupy(guest: GuestIsolate, version: string): void {
    this.#occupants.set(guest.slot, version);
  }

  /** Which exchange is begun now: told by the watchdog when the process has to end. */
  noteBegun(exchange: number): void {
    this.#watchdog.noteBegun(exchange);
  }

  async close(): Promise<void> {
    this.#plain.spares.close();
    this.#streams?.spares.close();
    await this.#watchdog.close();
  }

  #createStock(variant: Variant): Stock {
    const { guest, spares } = this.#options;
    const snapshot = createGuestSnapshot(guest, variant);
    return { snapshot, spares: new Spares(spares, () => this.#create(DEFAULT_LIMITS.memoryMiB, snapshot)) };
  }

  /** Unpacked when the first isolate asks. */
  #asset(name: unknown): ArrayBuffer | undefined {
    const { assets } = this.#options.guest;
    if (typeof name !== 'string' || !Object.hasOwn(assets, name)) return undefined;
    let bytes = this.#assets.get(name);
    if (bytes === undefined) {
      bytes = new Uint8Array(gunzipSync(Buffer.from(assets[name]!, 'base64'))).buffer;
      this.#assets.set(name, bytes);
    }
    return bytes;
  }

  #create(memoryMiB: number, snapshot: Snapshot | undefined, { isForProfile = false } = {}): GuestIsolate {
    const { guest, now, onCatastrophe } = this.#options;
    let guestIsolate: GuestIsolate | undefined;
    const isolate = new ivm.Isolate({
      memoryLimit: isForProfile ? PROFILED_HEAP_MIB : memoryMiB,
      inspector: isForProfile,
      onCatastrophicError: (message) => onCatastrophe(message, this.#occupants.get(guestIsolate?.slot ?? -1)),
      ...(snapshot !== undefined && { snapshot }),
    });
    const context = isolate.createContextSync({ inspector: isForProfile });
    if (snapshot === undefined) context.evalSync(guest.source, { filename: 'isola:guest' });
    // Host functions reach the guest runtime as arguments of a closure: they are never on the global.
    const host = (op: number, id: number, a: unknown, b: unknown, c: unknown, d: unknown) =>
      guestIsolate?.receive(op, id, a, b, c, d);
    const hostSync = (op: number, a: unknown, b: unknown, c: unknown) => {
      if (op === HOST_SYNC.source) return partSource(guest, a);
      if (op === HOST_SYNC.textKernel) return this.#textKernel && toTransfer(this.#textKernel);
      return op === HOST_SYNC.asset ? this.#asset(a) : guestIsolate?.answer(op, a, b, c);
    };
    const options: BootOptions = {
      now: now(),
      maxTimers: MAX_TIMERS,
      maxPendingHostCalls: MAX_PENDING_HOST_CALLS,
      maxWasmInstances: MAX_WASM_INSTANCES,
      memoryMiB,
    };
    const entryPoints = context.evalClosureSync(
      'const isola = globalThis.__isola; delete globalThis.__isola; return isola.boot($0, $1, $2, $3);',
      [
        new ivm.Callback(host),
        new ivm.Callback(host, { ignored: true }),
        new ivm.Callback(hostSync),
        JSON.stringify(options),
      ],
      { result: { reference: true }, filename: 'isola:boot' },
    ) as ivm.Reference<GuestEntryPoints>;
    guestIsolate = new GuestIsolate({
      isolate,
      context,
      entryPoints,
      memoryMiB,
      slot: this.#watchdog.warden.register(isolate),
      watchdog: this.#watchdog,
      lane: this.#lane,
      now,
      onDispose: (slot) => this.#watchdog.warden.release(slot),
    });
    return guestIsolate;
  }
}

function partSource(guest: GuestSource, name: unknown): string | undefined {
  return typeof name === 'string' && Object.hasOwn(guest.parts, name) ? guest.parts[name] : undefined;
}
