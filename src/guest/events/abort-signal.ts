import { arrayPush } from '../primordials.ts';
import { defineInterface, requireArguments } from '../webidl.ts';
import { DOMException } from './dom-exception.ts';
import { Event } from './event.ts';
import {
  defineHandler,
  dispatchTrusted,
  EventTarget,
  hasListeners,
  onFirstListener,
  setSignalOperations,
} from './event-target.ts';
import { startTimer } from './hooks.ts';

const MAX_TIMEOUT_MS = Number.MAX_SAFE_INTEGER;
const SWEEP_AT = 32; // dependents of one signal before the collected ones are first looked for

interface SignalState {
  aborted: boolean;
  reason: unknown;
  algorithms: Set<() => void>;
  /** Of a signal made by `any`: what it follows. Held here, so that the sources live as long as it does. */
  sources: AbortSignal[] | undefined;
  dependents: Dependents | undefined;
}

/**
 * Signals made by `any` that follow a source. Held weakly, as a source may outlive thousands of them (one for each
 * request, say), and strongly once somebody listens, as the listener alone may be what the program waits for.
 */
interface Dependents {
  weak: WeakRef<AbortSignal>[];
  readonly strong: Set<AbortSignal>;
  sweepAt: number;
}

// Only the runtime makes signals; `new AbortSignal()` throws.
export const SIGNAL_KEY = Symbol('key');

let readState: (signal: AbortSignal) => SignalState;
let hasState: (value: object) => boolean;

export class AbortSignal extends EventTarget {
  declare onabort: ((this: AbortSignal, event: Event) => unknown) | null;
  readonly #state: SignalState = {
    aborted: false,
    reason: undefined,
    algorithms: new Set(),
    sources: undefined,
    dependents: undefined,
  };

  static {
    readState = (signal) => signal.#state;
    hasState = (value) => #state in value;
  }

  constructor(key?: symbol) {
    if (key !== SIGNAL_KEY) throw new TypeError('Illegal constructor');
    super();
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = createSignal();
    const state = readState(signal);
    state.aborted = true;
    state.reason = reason === undefined ? abortError() : reason;
    return signal;
  }

  /** Aborts with a `TimeoutError` after so many ms. */
  static timeout(milliseconds: number): AbortSignal {
    requireArguments(arguments.length, 1, "Failed to execute 'timeout' on 'AbortSignal'");
    const ms = Math.trunc(milliseconds);
    if (!(ms >= 0 && ms <= MAX_TIMEOUT_MS)) {
      throw new TypeError(`Cannot make a timeout of ${milliseconds} ms: the range is 0 to ${MAX_TIMEOUT_MS}`);
    }
    const signal = createSignal();
    startTimer(() => signalAbort(signal, new DOMException('The operation timed out.', 'TimeoutError')), ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    requireArguments(arguments.length, 1, "Failed to execute 'any' on 'AbortSignal'");
    const list = [...signals];
    for (const source of list) {
      if (!isAbortSignal(source)) throw new TypeError("Failed to execute 'any' on 'AbortSignal': not an AbortSignal");
    }
    return anySignal(list);
  }

  get aborted(): boolean {
    return this.#state.aborted;
  }

  get reason(): unknown {
    return this.#state.reason;
  }

  throwIfAborted(): void {
    if (this.#state.aborted) throw this.#state.reason;
  }
}
defineInterface(AbortSignal, 'AbortSignal', { constructor: 0, abort: 0 });
defineHandler(AbortSignal.prototype, 'abort');
for (const name of ['abort', 'timeout', 'any'] as const) Object.defineProperty(AbortSignal, name, { enumerable: true });

export class AbortController {
  readonly #signal: AbortSignal;

  /** With the key, for a subclass of the runtime's own: a controller of this signal. */
  constructor(key?: symbol, signal?: AbortSignal) {
    this.#signal = key === SIGNAL_KEY ? signal! : createSignal();
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    signalAbort(this.#signal, reason);
  }
}
defineInterface(AbortController, 'AbortController', { constructor: 0, abort: 0 });

export function createSignal(type: new (key: symbol) => AbortSignal = AbortSignal): AbortSignal {
  return new type(SIGNAL_KEY);
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && hasState(value);
}

export function isAborted(signal: AbortSignal): boolean {
  return readState(signal).aborted;
}

export function abortReason(signal: AbortSignal): unknown {
  return readState(signal).reason;
}

export function abortError(): DOMException {
  return new DOMException('The operation was aborted', 'AbortError');
}

/**
 * Has the runtime itself told of an abort, before any listener is. Answers a function that takes the request back.
 * An already aborted signal calls nothing: ask `isAborted` first.
 */
export function addAbortAlgorithm(signal: AbortSignal, algorithm: () => void): () => void {
  const state = readState(signal);
  if (state.aborted) return () => undefined;
  state.algorithms.add(algorithm);
  if (state.sources !== undefined) holdDependent(signal);
  return () => void state.algorithms.delete(algorithm);
}

/** DOM standard, "signal abort". */
export function signalAbort(signal: AbortSignal, reason?: unknown): void {
  if (readState(signal).aborted) return;
  const why = reason === undefined ? abortError() : reason;
  const aborted = [signal];
  markAborted(signal, why);
  const { dependents } = readState(signal);
  if (dependents !== undefined) {
    for (const ref of dependents.weak) {
      const dependent = ref.deref();
      if (dependent === undefined || readState(dependent).aborted) continue;
      markAborted(dependent, why);
      arrayPush(aborted, dependent);
    }
    readState(signal).dependents = undefined;
  }
  for (let i = 0; i < aborted.length; i++) runAbortSteps(aborted[i] as AbortSignal);
}

/** DOM standard, "create a dependent abort signal": `result` is a new one. */
export function anySignal(signals: readonly AbortSignal[], result: AbortSignal = createSignal()): AbortSignal {
  const state = readState(result);
  for (let i = 0; i < signals.length; i++) {
    const source = readState(signals[i] as AbortSignal);
    if (!source.aborted) continue;
    state.aborted = true;
    state.reason = source.reason;
    return result;
  }
  const sources: AbortSignal[] = [];
  const add = (source: AbortSignal): void => {
    for (let i = 0; i < sources.length; i++) if (sources[i] === source) return;
    arrayPush(sources, source);
    follow(source, result);
  };
  for (let i = 0; i < signals.length; i++) {
    const source = signals[i] as AbortSignal;
    const inherited = readState(source).sources;
    if (inherited === undefined) add(source);
    else for (let j = 0; j < inherited.length; j++) add(inherited[j] as AbortSignal);
  }
  state.sources = sources;
  onFirstListener(result, () => holdDependent(result));
  return result;
}

function follow(source: AbortSignal, dependent: AbortSignal): void {
  const state = readState(source);
  state.dependents ??= { weak: [], strong: new Set(), sweepAt: SWEEP_AT };
  const { dependents } = state;
  arrayPush(dependents.weak, new WeakRef(dependent));
  if (dependents.weak.length < dependents.sweepAt) return;
  dependents.weak = dependents.weak.filter((ref) => ref.deref() !== undefined);
  dependents.sweepAt = Math.max(SWEEP_AT, dependents.weak.length * 2);
}

function holdDependent(signal: AbortSignal): void {
  const sources = readState(signal).sources ?? [];
  for (let i = 0; i < sources.length; i++) readState(sources[i] as AbortSignal).dependents?.strong.add(signal);
}

function markAborted(signal: AbortSignal, reason: unknown): void {
  const state = readState(signal);
  state.aborted = true;
  state.reason = reason;
  for (const source of state.sources ?? []) readState(source).dependents?.strong.delete(signal);
}

function runAbortSteps(signal: AbortSignal): void {
  const state = readState(signal);
  const { algorithms } = state;
  state.algorithms = new Set();
  for (const algorithm of algorithms) algorithm();
  if (hasListeners(signal, 'abort')) dispatchTrusted(signal, new Event('abort'));
}

setSignalOperations({
  isSignal: isAbortSignal,
  isAborted: (signal) => isAborted(signal as AbortSignal),
  onAbort: (signal, algorithm) => void addAbortAlgorithm(signal as AbortSignal, algorithm),
});
