/** TaskController and TaskSignal: abort signals that also carry a priority, and tell when it changes. */
import {
  AbortController,
  AbortSignal,
  anySignal,
  arrayPush,
  createSignal,
  defineHandler,
  defineInterface,
  dispatchTrusted,
  DOMException,
  Event,
  type EventInit,
  isAbortSignal,
  objectDefineProperty,
  onFirstListener,
  requireArguments,
  SafeSet,
  SIGNAL_KEY,
  toDOMString,
  weakRefDeref,
} from '../core.ts';

export type Priority = 'user-blocking' | 'user-visible' | 'background';

/** The highest first. */
export const PRIORITIES: readonly Priority[] = ['user-blocking', 'user-visible', 'background'];
export const DEFAULT_PRIORITY = 'user-visible';

export function toPriority(value: unknown, where: string): Priority {
  const text = toDOMString(value);
  for (let i = 0; i < PRIORITIES.length; i++) if (text === PRIORITIES[i]) return PRIORITIES[i]!;
  throw new TypeError(`${where}: "${text.slice(0, 100)}" is not a priority: user-blocking, user-visible, background`);
}

/** Web IDL: what may be given as a dictionary. */
export function toDictionary(value: unknown, where: string): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function')
    throw new TypeError(`${where}: options is not an object`);
  return value as Record<string, unknown>;
}

const SWEEP_AT = 32; // dependents of one signal before the collected ones are first looked for

interface TaskSignalState {
  priority: Priority;
  changing: boolean;
  /** Whose priority it has, if it was made by `any`. Held here, so that the source lives as long as it does. */
  source: TaskSignal | undefined;
  /** Those made by `any` that have its priority: weakly, as one source may outlive thousands of them. */
  dependents: WeakRef<TaskSignal>[];
  sweepAt: number;
  /** Those that somebody listens to: the listener may be all that the program keeps. */
  readonly strong: SafeSet<TaskSignal>;
}

let readState: (signal: TaskSignal) => TaskSignalState;
let hasState: (value: object) => boolean;

export class TaskSignal extends AbortSignal {
  declare onprioritychange: ((this: TaskSignal, event: Event) => unknown) | null;
  readonly #state: TaskSignalState = {
    priority: DEFAULT_PRIORITY,
    changing: false,
    source: undefined,
    dependents: [],
    sweepAt: SWEEP_AT,
    strong: new SafeSet(),
  };

  static {
    readState = (signal) => signal.#state;
    hasState = (value) => #state in value;
  }

  static override any(signals: Iterable<AbortSignal>, init?: { priority?: Priority | TaskSignal }): TaskSignal {
    const where = "Failed to execute 'any' on 'TaskSignal'";
    requireArguments(arguments.length, 1, where);
    if (typeof signals !== 'object' || signals === null) throw new TypeError(`${where}: signals is not a sequence`);
    const list: AbortSignal[] = [];
    for (const signal of signals) {
      if (!isAbortSignal(signal)) throw new TypeError(`${where}: not an AbortSignal`);
      arrayPush(list, signal);
    }
    const { priority = DEFAULT_PRIORITY } = toDictionary(init, where);
    const from = isTaskSignal(priority) ? priority : toPriority(priority, where);
    const result = createSignal(TaskSignal) as TaskSignal;
    anySignal(list, result);
    if (typeof from === 'string') readState(result).priority = from;
    else followPriority(readState(from).source ?? from, result);
    return result;
  }

  get priority(): Priority {
    return this.#state.priority;
  }
}
defineInterface(TaskSignal, 'TaskSignal', { constructor: 0, any: 1 });
defineHandler(TaskSignal.prototype, 'prioritychange');
objectDefineProperty(TaskSignal, 'any', { enumerable: true });

export function isTaskSignal(value: unknown): value is TaskSignal {
  return typeof value === 'object' && value !== null && hasState(value);
}

export function signalPriority(signal: TaskSignal): Priority {
  return readState(signal).priority;
}

function followPriority(source: TaskSignal, signal: TaskSignal): void {
  const from = readState(source);
  const state = readState(signal);
  state.priority = from.priority;
  state.source = source;
  onFirstListener(signal, () => from.strong.add(signal));
  arrayPush(from.dependents, new WeakRef(signal));
  if (from.dependents.length < from.sweepAt) return;
  const alive: WeakRef<TaskSignal>[] = [];
  for (let i = 0; i < from.dependents.length; i++) {
    const reference = from.dependents[i]!;
    if (weakRefDeref(reference) !== undefined) arrayPush(alive, reference);
  }
  from.dependents = alive;
  from.sweepAt = alive.length * 2 < SWEEP_AT ? SWEEP_AT : alive.length * 2;
}

/** The standard's "signal priority change". */
function changePriority(signal: TaskSignal, priority: Priority): void {
  const state = readState(signal);
  if (state.changing) {
    throw new DOMException('Cannot change the priority: it is being changed already', 'NotAllowedError');
  }
  const previousPriority = state.priority;
  if (previousPriority === priority) return;
  state.changing = true;
  try {
    state.priority = priority;
    dispatchTrusted(signal, new TaskPriorityChangeEvent('prioritychange', { previousPriority }));
    const { dependents } = state;
    for (let i = 0; i < dependents.length; i++) {
      const dependent = weakRefDeref(dependents[i]!);
      if (dependent !== undefined) changePriority(dependent, priority);
    }
  } finally {
    state.changing = false;
  }
}

export class TaskController extends AbortController {
  readonly #signal: TaskSignal;

  constructor(init?: { priority?: Priority }) {
    const where = "Failed to construct 'TaskController'";
    const { priority } = toDictionary(init, where);
    const given = priority === undefined ? DEFAULT_PRIORITY : toPriority(priority, where);
    const signal = createSignal(TaskSignal) as TaskSignal;
    readState(signal).priority = given;
    super(SIGNAL_KEY, signal);
    this.#signal = signal;
  }

  setPriority(priority: Priority): void {
    const where = "Failed to execute 'setPriority' on 'TaskController'";
    requireArguments(arguments.length, 1, where);
    changePriority(this.#signal, toPriority(priority, where));
  }
}
defineInterface(TaskController, 'TaskController', { constructor: 0 });

export class TaskPriorityChangeEvent extends Event {
  readonly #previousPriority: Priority;

  constructor(type: string, init: EventInit & { previousPriority: Priority }) {
    const where = "Failed to construct 'TaskPriorityChangeEvent'";
    requireArguments(arguments.length, 2, where);
    super(type, init);
    const { previousPriority } = toDictionary(init, where);
    if (previousPriority === undefined) throw new TypeError(`${where}: previousPriority is missing`);
    this.#previousPriority = toPriority(previousPriority, where);
  }

  get previousPriority(): Priority {
    return this.#previousPriority;
  }
}
defineInterface(TaskPriorityChangeEvent, 'TaskPriorityChangeEvent', { constructor: 2 });
