/** `scheduler.postTask` and `scheduler.yield`. (Prioritized Task Scheduling, sections 3 and 4.) */
import {
  abortReason,
  type AbortSignal,
  addAbortAlgorithm,
  bindFrame,
  clearTimer,
  entryNumber,
  isAborted,
  isAbortSignal,
  NativePromise,
  startTimer,
} from '../core.ts';
import { enqueue, type PrioritySource, type Task } from './task-queues.ts';
import { DEFAULT_PRIORITY, isTaskSignal, toDictionary, toPriority } from './task-signal.ts';

interface State {
  readonly signal: AbortSignal | undefined;
  readonly priority: PrioritySource;
}

/**
 * What `yield` inherits: the state of the task whose turn it is. It holds through all that follows without another
 * turn of the event loop, that is, within one entry.
 */
let current: State | undefined;
let currentEntry = 0;

function inherited(): State {
  return current !== undefined && currentEntry === entryNumber()
    ? current
    : { signal: undefined, priority: DEFAULT_PRIORITY };
}

export function postTask(callback: unknown, given: unknown): Promise<unknown> {
  return new NativePromise((resolve, reject) => {
    const where = "Failed to execute 'postTask' on 'Scheduler'";
    if (typeof callback !== 'function') throw new TypeError(`${where}: parameter 1 is not of type 'Function'`);
    const options = toDictionary(given, where);
    const { delay } = options;
    const delayMs = delay === undefined ? 0 : toDelay(delay, where);
    const { priority, signal } = options;
    const fixed = priority === undefined ? undefined : toPriority(priority, where);
    if (signal !== undefined && !isAbortSignal(signal)) throw new TypeError(`${where}: signal is not an AbortSignal`);
    const state: State = { signal, priority: fixed ?? (isTaskSignal(signal) ? signal : DEFAULT_PRIORITY) };
    const call = bindFrame(callback as () => unknown);
    schedule(state, { isContinuation: false, delayMs }, reject, () => {
      current = state;
      currentEntry = entryNumber();
      resolve(call());
    });
  });
}

export function yieldTurn(): Promise<void> {
  return new NativePromise((resolve, reject) => {
    const state = inherited();
    schedule(state, { isContinuation: true, delayMs: 0 }, reject, () => {
      current = state;
      currentEntry = entryNumber();
      resolve();
    });
  });
}

interface Place {
  readonly isContinuation: boolean;
  readonly delayMs: number;
}

function schedule(
  { signal, priority }: State,
  { isContinuation, delayMs }: Place,
  reject: (reason: unknown) => void,
  run: () => void,
): void {
  if (signal !== undefined && isAborted(signal)) {
    reject(abortReason(signal));
    return;
  }
  let timer = 0;
  const task: Task = {
    run: () => {
      try {
        run();
      } catch (error) {
        reject(error);
      }
      forget?.();
    },
    canceled: false,
  };
  const put = (): void => enqueue(task, priority, isContinuation);
  if (delayMs === 0) put();
  else {
    timer = startTimer(() => {
      timer = 0;
      try {
        put();
      } catch (error) {
        forget?.();
        reject(error);
      }
    }, delayMs);
  }
  const forget =
    signal &&
    addAbortAlgorithm(signal, () => {
      task.canceled = true;
      if (timer !== 0) clearTimer(timer);
      reject(abortReason(signal));
    });
}

/** Web IDL: `[EnforceRange] unsigned long long`. */
function toDelay(value: unknown, where: string): number {
  const delay = Math.trunc(Number(value));
  if (delay >= 0 && delay <= Number.MAX_SAFE_INTEGER) return delay;
  throw new TypeError(`${where}: delay is ${delay}, the range is 0 to ${Number.MAX_SAFE_INTEGER}`);
}
