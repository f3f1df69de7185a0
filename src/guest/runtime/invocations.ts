/** Invocations: what is known of each event under way, and when it is over. */
import { HOST } from '../abi.ts';
import { describeError } from './describe.ts';
import { host } from './host.ts';
import { SafeMap, SafeSet } from './intrinsics.ts';

/** Something that belongs to an invocation and ends with it: a timer, a call, a stream. */
export interface Resource {
  drop(): void;
}

const open = new SafeMap<number, Invocation>();
let running: Invocation | undefined;

/**
 * One event. It is over when its handler has settled, its body has been handed over and each promise given to
 * `waitUntil` has settled: each of these is a `begin` with its `end`.
 */
export class Invocation {
  readonly id: number;
  /** Subrequests made so far. */
  subrequests = 0;
  /** Aborts `request.signal`, once somebody has asked for that. */
  onAbort: (() => void) | undefined = undefined;
  aborted = false;
  /** Of `console.group`. */
  indent = '';
  closed = false;
  #parts = 1;
  #failed = false;
  #resources: SafeSet<Resource> | undefined = undefined;

  constructor(id: number) {
    this.id = id;
    open.set(id, this);
  }

  begin(): void {
    this.#parts++;
  }

  end(): void {
    this.#parts--;
    if (this.#parts > 0 || this.closed) return;
    this.close();
    host(HOST.done, this.id, this.#failed ? 'exception' : 'ok');
  }

  /** Nothing but the handler itself holds it: a complete answer may end it in the same breath. */
  get isSimple(): boolean {
    return this.#parts === 1 && !this.#failed;
  }

  /** The handler itself failed: the outcome is `exception` and the cell answers for it. */
  fail(thrown: unknown): void {
    this.reportFailure(thrown);
    this.end();
  }

  /** Tells the host of an exception that makes the outcome `exception`. */
  reportFailure(thrown: unknown): void {
    this.#failed = true;
    this.report(thrown);
  }

  /** Tells the host of an exception. The outcome stays as it is, as for a `waitUntil` promise that rejects. */
  report(thrown: unknown): void {
    const { name, message, stack } = describeError(thrown);
    host(HOST.exception, this.closed ? 0 : this.id, name, message, stack);
  }

  hold(resource: Resource): void {
    this.#resources ??= new SafeSet();
    this.#resources.add(resource);
  }

  release(resource: Resource): void {
    this.#resources?.delete(resource);
  }

  /** Its client has gone. */
  abort(): void {
    this.aborted = true;
    const { onAbort } = this;
    this.onAbort = undefined;
    onAbort?.();
  }

  /** Forgets everything it had. Idempotent; the host forgets its side by itself. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    open.delete(this.id);
    this.onAbort = undefined;
    const resources = this.#resources;
    if (resources === undefined) return;
    this.#resources = undefined;
    resources.forEach((resource) => {
      resource.drop();
    });
  }
}

export function findInvocation(id: number): Invocation | undefined {
  return open.get(id);
}

/** The invocation that was entered. Undefined while the modules are evaluated. */
export function currentInvocation(): Invocation | undefined {
  return running;
}

export function setCurrentInvocation(invocation: Invocation | undefined): void {
  running = invocation;
}

/** For everything that only an event may do. `what` names it. */
export function requireInvocation(): Invocation {
  if (running === undefined || running.closed) {
    throw new Error(
      running === undefined
        ? 'Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), setting a timeout, and generating random values are not allowed within global scope. To fix this error, perform this operation within a handler.'
        : 'Cannot perform I/O: the event that this code belongs to is over.',
    );
  }
  return running;
}
