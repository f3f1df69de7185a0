import {
  arrayPush,
  arraySlice,
  arraySplice,
  objectDefineProperty,
  objectGetOwnPropertyDescriptor,
  reflectApply,
} from '../primordials.ts';
import { SafeMap } from '../runtime/intrinsics.ts';
import { defineInterface, requireArguments, toDOMString } from '../webidl.ts';
import { DOMException } from './dom-exception.ts';
import { type Event, eventState, isEvent } from './event.ts';
import { reportError } from './hooks.ts';

export type EventListener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown } | null;

export interface ListenerOptions {
  capture?: boolean;
  once?: boolean;
  passive?: boolean;
  signal?: EventTarget;
}

/** What listeners with a `signal` need of `AbortSignal`, which is itself an EventTarget: it registers them here. */
export interface SignalOperations {
  readonly isSignal: (value: unknown) => boolean;
  readonly isAborted: (signal: EventTarget) => boolean;
  readonly onAbort: (signal: EventTarget, algorithm: () => void) => void;
}

interface Listener {
  readonly callback: NonNullable<EventListener>;
  readonly capture: boolean;
  readonly once: boolean;
  readonly passive: boolean;
  /** An `on...` attribute: its return value counts, and it is told apart from an equal callback. */
  readonly handler: boolean;
  removed: boolean;
}

interface TargetState {
  readonly listeners: SafeMap<string, Listener[]>;
  /** `on...` attributes by event type. */
  readonly handlers: SafeMap<string, { value: object | null; listener: Listener | undefined }>;
  /** Called when the first listener of any type comes: `AbortSignal.any` keeps a listened-to signal alive. */
  onListener: (() => void) | undefined;
}

let readState: (target: EventTarget) => TargetState;
let hasState: (value: object) => boolean;
/** The object that plain calls of `addEventListener(...)` without `this` mean. */
let globalTarget: EventTarget | undefined;
let signals: SignalOperations | undefined;

export class EventTarget {
  readonly #state: TargetState = { listeners: new SafeMap(), handlers: new SafeMap(), onListener: undefined };

  static {
    readState = (target) => target.#state;
    hasState = (value) => #state in value;
  }

  addEventListener(type: string, callback: EventListener, options?: boolean | ListenerOptions): void {
    requireArguments(arguments.length, 2, "Failed to execute 'addEventListener' on 'EventTarget'");
    const state = readState(thisTarget(this));
    const name = toDOMString(type);
    checkCallback(callback);
    let capture = false;
    let once = false;
    let passive = false;
    let signal: EventTarget | undefined;
    if (typeof options === 'object' || typeof options === 'function') {
      if (options !== null) {
        capture = !!options.capture;
        once = !!options.once;
        passive = !!options.passive;
        signal = options.signal;
        if (signal !== undefined && !signals?.isSignal(signal)) {
          throw new TypeError("Failed to execute 'addEventListener' on 'EventTarget': signal is not an AbortSignal");
        }
      }
    } else {
      capture = !!options;
    }
    if (callback === null || callback === undefined) return;
    if (signal !== undefined && signals?.isAborted(signal)) return;
    const listeners = listenersOf(state, name);
    for (let i = 0; i < listeners.length; i++) {
      const other = listeners[i] as Listener;
      if (other.callback === callback && other.capture === capture && !other.handler) return;
    }
    const listener: Listener = { callback, capture, once, passive, handler: false, removed: false };
    arrayPush(listeners, listener);
    state.onListener?.();
    if (signal !== undefined) signals?.onAbort(signal, () => removeListener(state, name, listener));
  }

  removeEventListener(type: string, callback: EventListener, options?: boolean | ListenerOptions): void {
    requireArguments(arguments.length, 2, "Failed to execute 'removeEventListener' on 'EventTarget'");
    const state = readState(thisTarget(this));
    const name = toDOMString(type);
    checkCallback(callback);
    const capture = typeof options === 'object' && options !== null ? !!options.capture : !!options;
    const listeners = state.listeners.get(name);
    if (listeners === undefined) return;
    for (let i = 0; i < listeners.length; i++) {
      const listener = listeners[i] as Listener;
      if (listener.callback !== callback || listener.capture !== capture || listener.handler) continue;
      removeListener(state, name, listener);
      return;
    }
  }

  dispatchEvent(event: Event): boolean {
    requireArguments(arguments.length, 1, "Failed to execute 'dispatchEvent' on 'EventTarget'");
    const target = thisTarget(this);
    readState(target); // brand check
    if (!isEvent(event)) {
      throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.");
    }
    const state = eventState(event);
    if (state.dispatching || !state.initialized) {
      throw new DOMException('The event is already being dispatched', 'InvalidStateError');
    }
    state.trusted = false;
    return dispatch(target, event);
  }
}
defineInterface(EventTarget, 'EventTarget', { addEventListener: 2, removeEventListener: 2 });

/**
 * Makes the global an EventTarget: `target` keeps its listeners, for calls on `globalThis` and without a receiver.
 * Events show `globalThis` as their target.
 */
export function setGlobalTarget(target: EventTarget): void {
  globalTarget = target;
}

export function setSignalOperations(operations: SignalOperations): void {
  signals = operations;
}

/** Dispatches an event of the runtime's own making (`isTrusted`). Answers false when it was canceled. */
export function dispatchTrusted(target: EventTarget, event: Event): boolean {
  eventState(event).trusted = true;
  return dispatch(target, event);
}

/** The same, for the listeners of the global. */
export function dispatchGlobal(event: Event): boolean {
  return dispatchTrusted(globalTarget!, event);
}

/** Does the global have listeners (or a handler) for this type? */
export function hasGlobalListeners(type: string): boolean {
  return hasListeners(globalTarget!, type);
}

/** Are there listeners (or a handler) for this type? Saves making an event that nobody hears. */
export function hasListeners(target: EventTarget, type: string): boolean {
  return (readState(target).listeners.get(type)?.length ?? 0) > 0;
}

export function onFirstListener(target: EventTarget, callback: () => void): void {
  const state = readState(target);
  const before = state.onListener;
  state.onListener = () => {
    state.onListener = undefined;
    before?.();
    callback();
  };
}

/** Reads an event handler attribute such as `onabort`. */
export function getHandler(target: EventTarget, type: string): object | null {
  return readState(target).handlers.get(type)?.value ?? null;
}

/** Sets an event handler attribute. The first non-null value fixes its place among the listeners. */
export function setHandler(target: EventTarget, type: string, value: unknown): void {
  const state = readState(target);
  const callable = typeof value === 'function' || (typeof value === 'object' && value !== null);
  const entry = state.handlers.get(type) ?? { value: null, listener: undefined };
  state.handlers.set(type, entry);
  entry.value = callable ? value : null;
  if (entry.value === null) {
    if (entry.listener !== undefined) removeListener(state, type, entry.listener);
    entry.listener = undefined;
    return;
  }
  if (entry.listener !== undefined) return;
  const callback = function (this: unknown, event: Event): void {
    const handler = entry.value;
    if (typeof handler !== 'function') return;
    if (reflectApply(handler as () => unknown, this, [event]) === false) event.preventDefault();
  };
  entry.listener = { callback, capture: false, once: false, passive: false, handler: true, removed: false };
  arrayPush(listenersOf(state, type), entry.listener);
  state.onListener?.();
}

/** Defines `on<type>` on a prototype. */
export function defineHandler(prototype: EventTarget, type: string): void {
  const name = `on${type}`;
  // An accessor by syntax, which gives its functions their names.
  const attribute = {
    get [name](): object | null {
      return getHandler(this as unknown as EventTarget, type);
    },
    set [name](value: unknown) {
      setHandler(this as unknown as EventTarget, type, value);
    },
  };
  objectDefineProperty(prototype, name, objectGetOwnPropertyDescriptor(attribute, name)!);
}

function dispatch(target: EventTarget, event: Event): boolean {
  const state = eventState(event);
  const { listeners } = readState(target);
  const own = listeners.get(state.type);
  const visible = target === globalTarget ? (globalThis as unknown as EventTarget) : target;
  state.target = visible;
  if (own === undefined || own.length === 0) return !state.canceled;
  state.dispatching = true;
  state.currentTarget = visible;
  state.phase = 2; // AT_TARGET: there is no tree
  const snapshot = arraySlice(own);
  if (!state.stopPropagation) invoke(target, event, snapshot, true);
  if (!state.stopPropagation) invoke(target, event, snapshot, false);
  state.phase = 0;
  state.currentTarget = null;
  state.dispatching = false;
  state.stopPropagation = false;
  state.stopImmediate = false;
  return !state.canceled;
}

function invoke(target: EventTarget, event: Event, listeners: readonly Listener[], capture: boolean): void {
  const state = eventState(event);
  for (let i = 0; i < listeners.length; i++) {
    const listener = listeners[i] as Listener;
    if (listener.removed || listener.capture !== capture) continue;
    if (listener.once) removeListener(readState(target), state.type, listener);
    state.passive = listener.passive;
    try {
      call(listener.callback, state.currentTarget as EventTarget, event);
    } catch (error) {
      reportError(error);
    }
    state.passive = false;
    if (state.stopImmediate) return;
  }
}

function call(callback: NonNullable<EventListener>, target: EventTarget, event: Event): void {
  if (typeof callback === 'function') {
    reflectApply(callback, target, [event]);
    return;
  }
  const { handleEvent } = callback;
  if (typeof handleEvent !== 'function') throw new TypeError('The listener has no handleEvent function');
  reflectApply(handleEvent, callback, [event]);
}

function listenersOf(state: TargetState, type: string): Listener[] {
  let listeners = state.listeners.get(type);
  if (listeners === undefined) {
    listeners = [];
    state.listeners.set(type, listeners);
  }
  return listeners;
}

function removeListener(state: TargetState, type: string, listener: Listener): void {
  listener.removed = true;
  const listeners = state.listeners.get(type);
  if (listeners === undefined) return;
  for (let i = 0; i < listeners.length; i++) {
    if (listeners[i] !== listener) continue;
    arraySplice(listeners, i, 1);
    return;
  }
}

function checkCallback(callback: unknown): void {
  if (callback === null || typeof callback === 'function' || typeof callback === 'object') return;
  if (callback === undefined) return;
  throw new TypeError('The event listener is not an object');
}

function thisTarget(self: EventTarget | undefined): EventTarget {
  const target = self ?? globalTarget;
  if (target === undefined) throw new TypeError('Illegal invocation');
  if (hasState(target)) return target;
  if ((target as unknown) === globalThis && globalTarget !== undefined) return globalTarget;
  throw new TypeError('Illegal invocation');
}
