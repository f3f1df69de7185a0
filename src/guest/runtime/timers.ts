/** `setTimeout` and its kin. The host keeps the time and calls back once; intervals are armed again here. */
import { HOST } from '../abi.ts';
import { abortReason, addAbortAlgorithm, isAborted, isAbortSignal, reportError } from '../events/index.ts';
import { bindFrame } from './frames.ts';
import { countTimer, host, nextId } from './host.ts';
import { NativePromise, reflectApply, SafeMap } from './intrinsics.ts';
import { hold, release, requireInvocation, type Invocation, type Resource } from './invocations.ts';
import { limits } from './limits.ts';

const MAX_DELAY_MS = 2 ** 31 - 1; // longer delays fire at once in browsers; here they are cut to this, 24.8 days
const MIN_INTERVAL_MS = 1; // an interval of 0 would keep the host busy on behalf of one tenant

const timers = new SafeMap<number, Timer>();
const NativeGlobal = globalThis;

class Timer implements Resource {
  readonly id: number;
  readonly invocation: Invocation;
  readonly #callback: () => void;
  readonly #intervalMs: number | undefined;

  constructor(invocation: Invocation, callback: () => void, delayMs: number, repeats: boolean) {
    countTimer();
    if (timers.size >= limits.maxTimers) {
      throw new Error(`Cannot set a timer: ${timers.size} are pending, the limit is ${limits.maxTimers}`);
    }
    this.id = nextId();
    this.invocation = invocation;
    this.#callback = callback;
    this.#intervalMs = repeats ? (delayMs < MIN_INTERVAL_MS ? MIN_INTERVAL_MS : delayMs) : undefined;
    timers.set(this.id, this);
    hold(invocation, this);
    host(HOST.timer, this.id, invocation.id, this.#intervalMs ?? delayMs);
  }

  fire(): void {
    if (this.#intervalMs === undefined) this.drop();
    try {
      this.#callback();
    } catch (error) {
      reportError(error);
    }
    if (this.#intervalMs !== undefined && timers.has(this.id)) {
      host(HOST.timer, this.id, this.invocation.id, this.#intervalMs);
    }
  }

  drop(): void {
    timers.delete(this.id);
    release(this.invocation, this);
  }
}

export function findTimer(id: number): Timer | undefined {
  return timers.get(id);
}

/** For the runtime itself: one call after so many ms, within the current invocation. */
export function startTimer(callback: () => void, delayMs: unknown): number {
  return new Timer(requireInvocation(), callback, toDelay(delayMs), false).id;
}

export function clearTimer(id: number): void {
  const timer = timers.get(id);
  if (timer === undefined) return;
  timer.drop();
  host(HOST.clearTimer, id);
}

export function setTimeout(callback: unknown, delay: unknown = 0, ...args: unknown[]): number {
  return set('setTimeout', callback, delay, args, false);
}

export function setInterval(callback: unknown, delay: unknown = 0, ...args: unknown[]): number {
  return set('setInterval', callback, delay, args, true);
}

export function clearTimeout(id: unknown = 0): void {
  clearTimer(Number(id));
}

export function clearInterval(id: unknown = 0): void {
  clearTimer(Number(id));
}

/** `scheduler.wait(ms, { signal })`: a promise for later. */
export function wait(delay: unknown, options: unknown): Promise<void> {
  return new NativePromise((resolve, reject) => {
    const signal = (options as { signal?: unknown } | null | undefined)?.signal;
    if (signal === undefined) {
      startTimer(resolve, delay);
      return;
    }
    if (!isAbortSignal(signal)) throw new TypeError("Failed to execute 'wait': signal is not an AbortSignal");
    if (isAborted(signal)) {
      reject(abortReason(signal));
      return;
    }
    const forget = addAbortAlgorithm(signal, () => {
      clearTimer(timer);
      reject(abortReason(signal));
    });
    const timer = startTimer(() => {
      forget();
      resolve();
    }, delay);
  });
}

function set(name: string, callback: unknown, delay: unknown, args: unknown[], repeats: boolean): number {
  if (typeof callback !== 'function') {
    throw new TypeError(`Failed to execute '${name}': parameter 1 is not of type 'Function'`);
  }
  const call = (): void => {
    reflectApply(callback as () => void, NativeGlobal, args);
  };
  return new Timer(requireInvocation(), bindFrame(call), toDelay(delay), repeats).id;
}

function toDelay(delay: unknown): number {
  const ms = Number(delay);
  if (!(ms > 0)) return 0;
  return ms > MAX_DELAY_MS ? MAX_DELAY_MS : ms;
}
