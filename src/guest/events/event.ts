import { defineConstants, defineInterface, requireArguments, toDOMString } from '../webidl.ts';
import type { EventTarget } from './event-target.ts';
import { eventTime } from './hooks.ts';

export interface EventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

/** An event's inner state, for `EventTarget` only. */
export interface EventState {
  type: string;
  target: EventTarget | null;
  currentTarget: EventTarget | null;
  phase: number;
  bubbles: boolean;
  cancelable: boolean;
  composed: boolean;
  canceled: boolean;
  stopPropagation: boolean;
  stopImmediate: boolean;
  passive: boolean;
  dispatching: boolean;
  initialized: boolean;
  trusted: boolean;
  readonly timeStamp: number;
}

let readState: (event: Event) => EventState;
let hasState: (value: object) => boolean;

export class Event {
  readonly #state: EventState;

  static {
    readState = (event) => event.#state;
    hasState = (value) => #state in value;
  }

  constructor(type: string, init?: EventInit) {
    requireArguments(arguments.length, 1, "Failed to construct 'Event'");
    const options = toInit(init);
    this.#state = {
      type: toDOMString(type),
      target: null,
      currentTarget: null,
      phase: 0,
      bubbles: !!options?.bubbles,
      cancelable: !!options?.cancelable,
      composed: !!options?.composed,
      canceled: false,
      stopPropagation: false,
      stopImmediate: false,
      passive: false,
      dispatching: false,
      initialized: true,
      trusted: false,
      timeStamp: eventTime(),
    };
  }

  get type(): string {
    return this.#state.type;
  }
  get target(): EventTarget | null {
    return this.#state.target;
  }
  get srcElement(): EventTarget | null {
    return this.#state.target;
  }
  get currentTarget(): EventTarget | null {
    return this.#state.currentTarget;
  }
  get eventPhase(): number {
    return this.#state.phase;
  }
  get bubbles(): boolean {
    return this.#state.bubbles;
  }
  get cancelable(): boolean {
    return this.#state.cancelable;
  }
  get composed(): boolean {
    return this.#state.composed;
  }
  get defaultPrevented(): boolean {
    return this.#state.canceled;
  }
  get timeStamp(): number {
    return this.#state.timeStamp;
  }
  get isTrusted(): boolean {
    return this.#state.trusted;
  }

  get returnValue(): boolean {
    return !this.#state.canceled;
  }
  set returnValue(value: boolean) {
    if (!value) cancel(this.#state);
  }

  get cancelBubble(): boolean {
    return this.#state.stopPropagation;
  }
  set cancelBubble(value: boolean) {
    if (value) this.#state.stopPropagation = true;
  }

  composedPath(): EventTarget[] {
    const { currentTarget } = this.#state;
    return currentTarget === null ? [] : [currentTarget];
  }

  stopPropagation(): void {
    this.#state.stopPropagation = true;
  }

  stopImmediatePropagation(): void {
    this.#state.stopPropagation = true;
    this.#state.stopImmediate = true;
  }

  preventDefault(): void {
    cancel(this.#state);
  }

  initEvent(type: string, bubbles: unknown = false, cancelable: unknown = false): void {
    requireArguments(arguments.length, 1, "Failed to execute 'initEvent' on 'Event'");
    const state = this.#state;
    if (state.dispatching) return;
    state.type = toDOMString(type);
    state.bubbles = !!bubbles;
    state.cancelable = !!cancelable;
    state.initialized = true;
    state.stopPropagation = false;
    state.stopImmediate = false;
    state.canceled = false;
    state.trusted = false;
    state.target = null;
  }
}
defineInterface(Event, 'Event', { constructor: 1 });
defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

export function eventState(event: Event): EventState {
  return readState(event);
}

export function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && hasState(value);
}

/** Web IDL dictionary conversion: undefined and null are empty, other non-objects throw. */
export function toInit<T extends object>(init: T | null | undefined): T | undefined {
  if (init === undefined || init === null) return undefined;
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError('The provided value is not of type EventInit');
  }
  return init;
}

function cancel(state: EventState): void {
  if (state.cancelable && !state.passive) state.canceled = true;
}
