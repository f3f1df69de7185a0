/**
 * A CPU profile of one isolate, by V8's own sampling profiler, through an inspector session.
 *
 * The inspector's handles belong to the thread that made the isolate: V8 ends the process when another touches them, and
 * isolated-vm hands a session's message to a thread of its pool. But a second one, while that thread waits for the
 * isolate, comes as an interrupt to the thread that has it, with the first. So two or more are sent from inside a call into
 * the isolate, which goes on for a moment after. Nothing else may wake the pool: it would run what microtasks a tenant
 * has left, and nobody would watch. The profiler samples the thread that started it: all entries must be inline
 * (`GuestIsolate.isProfiled`).
 *
 * An isolate with an open session must not be disposed of, by its owner, the watchdog or V8's memory limit: isolated-vm
 * takes a lock there that it holds already, and the thread stands still for good.
 *
 * isolated-vm's own `startCpuProfiler` makes a profiler of V8 at each entry and disposes of none.
 */
import ivm from 'isolated-vm';
import { INLINE } from './watch-words.ts';
import type { Watchdog } from './watchdog.ts';

/** Stack checks, where interrupts are taken: calls and turns of a loop. Names nothing that a tenant could have changed. */
const TAKE_INTERRUPTS = '$0(); for (let i = 0; i < 1_000; i++) (() => i)();';
const CALL_TIMEOUT_MS = 1_000; // a tenant's microtasks may run at its end, those of an entry that was ended
const CALL_BUDGET_US = 1_250_000; // what the timeout could not stop ends the process
const ANSWER_DEADLINE_MS = 10_000;

interface Profile {
  readonly nodes: readonly { positionTicks?: unknown }[];
}

export interface CpuProfilerParts {
  /** Made with `inspector`, and the context too. */
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly slot: number;
  readonly watchdog: Watchdog;
}

export class CpuProfiler {
  readonly #parts: CpuProfilerParts;
  readonly #answers = new Map<number, (text: string) => void>();
  #session: ivm.InspectorSession | undefined;
  #stopping: Promise<string> | undefined;
  #id = 0;

  constructor(parts: CpuProfilerParts) {
    this.#parts = parts;
  }

  /** Whether the isolate must not be disposed of. */
  get isAttached(): boolean {
    return this.#session !== undefined;
  }

  /** Starts at once. Nothing may run in the isolate. */
  start(intervalUs: number): void {
    this.#inside(() => {
      const session = (this.#session = this.#parts.isolate.createInspectorSession());
      session.onNotification = () => {};
      session.onResponse = (id, text) => this.#answers.get(id)?.(text);
      this.#send('Profiler.enable');
      this.#send('Profiler.setSamplingInterval', { interval: intervalUs });
      this.#send('Profiler.start');
    });
  }

  /** Resolves to the profile as JSON (the `Profile` of the Chrome DevTools Protocol). Idempotent. */
  stop(): Promise<string> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<string> {
    let answered: Promise<string> | undefined;
    this.#inside(() => {
      answered = this.#answerTo(this.#send('Profiler.stop'));
      this.#send('Profiler.disable');
    });
    const text = await (answered ?? Promise.reject(new Error('Cannot stop the CPU profiler: the isolate is gone')));
    this.#inside(() => {
      this.#parts.isolate.createInspectorSession().dispose(); // the first message
      this.#session?.dispose();
      this.#session = undefined;
    });
    const { result, error } = JSON.parse(text) as { result?: { profile: Profile }; error?: { message: string } };
    if (result === undefined) throw new Error(`Cannot stop the CPU profiler: ${error?.message}`);
    // No viewer wants them, and they are a third of it.
    for (const node of result.profile.nodes) delete node.positionTicks;
    return JSON.stringify(result.profile);
  }

  #send(method: string, params?: object): number {
    const id = ++this.#id;
    this.#session?.dispatchProtocolMessage(JSON.stringify({ id, method, ...(params && { params }) }));
    return id;
  }

  #answerTo(id: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error('Cannot stop the CPU profiler: it does not answer'));
      const deadline = setTimeout(late, ANSWER_DEADLINE_MS);
      this.#answers.set(id, (text) => {
        clearTimeout(deadline);
        this.#answers.delete(id);
        resolve(text);
      });
    });
  }

  /** `work` sends two messages or more. */
  #inside(work: () => void): void {
    const { context, slot, watchdog } = this.#parts;
    let failure: unknown;
    const call = new ivm.Callback(() => {
      try {
        work();
      } catch (error) {
        failure = error;
      }
    });
    // From inside an entry, which is watched already.
    const sequence = watchdog.isInside ? undefined : watchdog.beginKept(slot, CALL_BUDGET_US);
    try {
      context.evalClosureSync(TAKE_INTERRUPTS, [call], { timeout: CALL_TIMEOUT_MS });
    } catch {
      // What the tenant had left to do took too long; the messages have been taken before.
    }
    if (sequence !== undefined) watchdog.end(INLINE, sequence);
    if (failure !== undefined) throw failure;
  }
}
