/**
 * The warden: an isolate that holds a handle of every other isolate and disposes those that were condemned.
 *
 * `dispose()` must be called from a thread that is not itself stuck, and isolated-vm's handles cannot be given to
 * Node's worker threads. But they can be given to another isolate: the warden blocks in `Atomics.wait` on a thread of
 * isolated-vm's pool, and so can always act.
 */
import ivm from 'isolated-vm';
import { listThreadIds, setThreadNice } from './cpu-clock.ts';
import { RUNNER, RUNNERS, WORDS } from './watch-words.ts';

const SLOTS_AT_REST = 1_024;
const WARDEN_MEMORY_MIB = 64; // handles are a few dozen bytes each

/**
 * Runs inside the warden; `shared` and the layout's constants are set before. Our own code: it never sees a tenant.
 *
 * The wake word is cleared before the orders are looked at, so an order given meanwhile ends the wait at once. A kill
 * whose handle has not arrived yet is left for the next turn, which comes after `keep`.
 */
const WARDEN_SOURCE = `
  const words = new Int32Array(shared);
  const handles = [];
  globalThis.keep = (slot, handle) => { handles[slot] = handle; };
  globalThis.guard = () => {
    for (;;) {
      Atomics.store(words, WAKE, 0);
      const mustReturn = Atomics.load(words, RETURNS) > 0;
      for (let runner = 0; runner < RUNNERS; runner++) {
        const at = FIRST + STRIDE * runner + KILL;
        const kill = Atomics.load(words, at);
        if (kill === 0 || (mustReturn && handles[kill - 1] === undefined)) continue;
        Atomics.store(words, at, 0);
        try { handles[kill - 1].dispose(); } catch {}
        handles[kill - 1] = undefined;
      }
      if (mustReturn) {
        Atomics.sub(words, RETURNS, 1);
        return;
      }
      Atomics.wait(words, WAKE, 0);
    }
  };
`;

export class Warden {
  readonly #words: Int32Array;
  readonly #isolate: ivm.Isolate;
  readonly #keep: ivm.Reference<(slot: number, handle: ivm.Isolate | undefined) => void>;
  readonly #guard: ivm.Reference<() => void>;
  readonly #free: number[] = [];
  #slots = 0;

  private constructor(
    words: Int32Array,
    isolate: ivm.Isolate,
    keep: ivm.Reference<(slot: number, handle: ivm.Isolate | undefined) => void>,
    guard: ivm.Reference<() => void>,
  ) {
    this.#words = words;
    this.#isolate = isolate;
    this.#keep = keep;
    this.#guard = guard;
    guard.applyIgnored(undefined, []);
  }

  static async start(shared: SharedArrayBuffer): Promise<Warden> {
    const before = new Set(listThreadIds());
    const isolate = new ivm.Isolate({ memoryLimit: WARDEN_MEMORY_MIB });
    const context = await isolate.createContext();
    // The pool's first thread: isolated-vm keeps an isolate on the thread it was on. It sleeps but for kills.
    for (const id of listThreadIds()) if (!before.has(id)) setThreadNice(id, -15);
    await context.global.set('shared', new ivm.ExternalCopy(shared).copyInto());
    const constants = {
      WAKE: WORDS.wardenWake,
      RETURNS: WORDS.wardenReturns,
      RUNNERS: RUNNERS.length,
      FIRST: WORDS.runners,
      STRIDE: WORDS.runnerStride,
      KILL: RUNNER.kill,
    };
    for (const [name, value] of Object.entries(constants)) await context.global.set(name, value);
    await context.eval(WARDEN_SOURCE);
    const keep = await context.global.get('keep', { reference: true });
    const guard = await context.global.get('guard', { reference: true });
    return new Warden(new Int32Array(shared), isolate, keep, guard);
  }

  /** Takes the isolate under guard. Returns its slot, to be given to `Watchdog.begin` and to `release`. */
  register(isolate: ivm.Isolate): number {
    // First in, first out, and late: an order to kill that was on its way when its isolate went must find nobody.
    const slot = (this.#free.length > SLOTS_AT_REST ? this.#free.shift() : undefined) ?? this.#slots++;
    this.#set(slot, isolate);
    return slot;
  }

  /** The isolate is gone, by whomever it was disposed; its slot may serve another. */
  release(slot: number): void {
    this.#set(slot, undefined);
    this.#free.push(slot);
  }

  close(): void {
    this.#isolate.dispose();
    this.#return();
  }

  #set(slot: number, isolate: ivm.Isolate | undefined): void {
    // Both calls queue behind the guarding one, which is then asked to return, once for each pair: so `keep` runs soon,
    // and a guard is always on duty or already queued, whatever the calling thread does next.
    this.#keep.applyIgnored(undefined, [slot, isolate]);
    this.#guard.applyIgnored(undefined, []);
    this.#return();
  }

  #return(): void {
    Atomics.add(this.#words, WORDS.wardenReturns, 1);
    Atomics.store(this.#words, WORDS.wardenWake, 1);
    Atomics.notify(this.#words, WORDS.wardenWake);
  }
}
