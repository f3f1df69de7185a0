/**
 * The waiting tasks of each invocation, and the turns in which they run: one task a turn. A turn is a timer of 0 ms, so
 * that between two tasks come the other requests of the instance, and the CPU time of each counts like any entry's.
 */
import {
  arrayPush,
  hold,
  type Invocation,
  limits,
  release,
  requireInvocation,
  type Resource,
  SafeMap,
  startTimer,
} from '../core.ts';
import { type Priority, PRIORITIES, signalPriority, type TaskSignal } from './task-signal.ts';

/** Where a task has its priority from: a signal's may change. */
export type PrioritySource = Priority | TaskSignal;

export interface Task {
  readonly run: () => void;
  /** Aborted: its turn is skipped. */
  canceled: boolean;
}

/** Tasks of one source, in the order they came. Those of `yield` go before those of `postTask`. */
interface Queue {
  readonly source: PrioritySource;
  readonly isContinuation: boolean;
  readonly tasks: { readonly task: Task; readonly order: number }[];
  first: number;
}

const queuesOf = new SafeMap<number, TaskQueues>();
let waiting = 0; // tasks of the whole instance
let lastOrder = 0;

/** Puts a task of the current invocation where it will find its turn. Throws when too many are waiting. */
export function enqueue(task: Task, source: PrioritySource, isContinuation: boolean): void {
  const invocation = requireInvocation();
  if (waiting >= limits.maxTimers) {
    throw new Error(`Cannot post a task: ${waiting} are waiting, the limit is ${limits.maxTimers}`);
  }
  let queues = queuesOf.get(invocation.id);
  if (queues === undefined) {
    queues = new TaskQueues(invocation);
    queuesOf.set(invocation.id, queues);
    hold(invocation, queues);
  }
  queues.add(task, source, isContinuation);
}

class TaskQueues implements Resource {
  readonly #invocation: Invocation;
  /** With a task, each. */
  readonly #queues: Queue[] = [];
  #count = 0;
  #hasTurn = false;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  add(task: Task, source: PrioritySource, isContinuation: boolean): void {
    if (!this.#hasTurn) {
      startTimer(() => this.#turn(), 0);
      this.#hasTurn = true;
    }
    arrayPush(this.#queueOf(source, isContinuation).tasks, { task, order: ++lastOrder });
    this.#count++;
    waiting++;
  }

  /** The invocation is over. */
  drop(): void {
    waiting -= this.#count;
    this.#count = 0;
    queuesOf.delete(this.#invocation.id);
  }

  #queueOf(source: PrioritySource, isContinuation: boolean): Queue {
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues[i]!;
      if (queue.source === source && queue.isContinuation === isContinuation) return queue;
    }
    const queue: Queue = { source, isContinuation, tasks: [], first: 0 };
    arrayPush(this.#queues, queue);
    return queue;
  }

  #turn(): void {
    this.#hasTurn = false;
    const task = this.#next();
    if (this.#count > 0) {
      // Before the task runs: whatever it does, the others keep their turns.
      startTimer(() => this.#turn(), 0);
      this.#hasTurn = true;
    } else {
      this.drop();
      release(this.#invocation, this);
    }
    task?.run();
  }

  /** The oldest of the highest priority that there is. */
  #next(): Task | undefined {
    while (this.#count > 0) {
      let at = 0;
      for (let i = 1; i < this.#queues.length; i++) if (isBefore(this.#queues[i]!, this.#queues[at]!)) at = i;
      const { task } = this.#take(at);
      if (!task.canceled) return task;
    }
    return undefined;
  }

  #take(at: number): Queue['tasks'][number] {
    const queue = this.#queues[at]!;
    const item = queue.tasks[queue.first]!;
    queue.tasks[queue.first] = undefined as never;
    queue.first++;
    this.#count--;
    waiting--;
    if (queue.first === queue.tasks.length) {
      this.#queues[at] = this.#queues[this.#queues.length - 1]!;
      this.#queues.length--;
    }
    return item;
  }
}

function isBefore(queue: Queue, other: Queue): boolean {
  const difference = rankOf(queue) - rankOf(other);
  return difference < 0 || (difference === 0 && queue.tasks[queue.first]!.order < other.tasks[other.first]!.order);
}

function rankOf({ source, isContinuation }: Queue): number {
  const priority = typeof source === 'string' ? source : signalPriority(source);
  let rank = 0;
  while (PRIORITIES[rank] !== priority) rank++;
  return rank * 2 + (isContinuation ? 0 : 1);
}
