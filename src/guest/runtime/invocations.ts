/** Invocations: what is known of each event under way, and when it is over. */
import { HOST } from '../abi.ts';
import { describeError } from './describe.ts';
import { host } from './host.ts';
import { SafeMap, SafeSet } from './intrinsics.ts';

/** Something that belongs to an invocation and ends with it: a timer, a call, a stream. */
export interface Resource {
  drop(): void;
}

/**
 * One event. It is over when its handler has settled, its body has been handed over and each promise given to
 * `waitUntil` has settled: each of these is a `beginPart` with its `endPart`.
 *
 * A plain record, made by one literal: a class would define its fields one by one. All of its fields are its own, so
 * nothing that a tenant puts on `Object.prototype` shows in it.
 */
export interface Invocation {
  readonly kind: 'invocation';
  readonly id: number;
  /** Of a fetch event: its request's, as text. Empty otherwise. */
  readonly head: string;
  closed: boolean;
  failed: boolean;
  aborted: boolean;
  parts: number;
  /** Subrequests made so far. */
  subrequests: number;
  /** Of `console.group`. */
  indent: string;
  /** Aborts `request.signal`, once somebody has asked for that. */
  onAbort: (() => void) | undefined;
  resources: SafeSet<Resource> | undefined;
  /** `ctx.props`, once somebody has asked for them. */
  props: object | undefined;
}

/** All that are under way but the latest. */
const open = new SafeMap<number, Invocation>();
/** The one that was started last, while it is under way. Most are over before the next starts and never get into `open`. */
let latest: Invocation | undefined;
let running: Invocation | undefined;

/** Starts an invocation and makes it the current one. */
export function startInvocation(id: number, head: string): Invocation {
  if (latest !== undefined) open.set(latest.id, latest);
  const invocation: Invocation = {
    kind: 'invocation',
    id,
    head,
    closed: false,
    failed: false,
    aborted: false,
    parts: 1,
    subrequests: 0,
    indent: '',
    onAbort: undefined,
    resources: undefined,
    props: undefined,
  };
  latest = invocation;
  running = invocation;
  return invocation;
}

export function findInvocation(id: number): Invocation | undefined {
  return latest?.id === id ? latest : open.get(id);
}

/** The invocation that was entered. Undefined while modules are evaluated. */
export function currentInvocation(): Invocation | undefined {
  return running;
}

export function setCurrentInvocation(invocation: Invocation | undefined): void {
  running = invocation;
}

/** For everything that only an event may do. */
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

export function beginPart(invocation: Invocation): void {
  invocation.parts++;
}

export function endPart(invocation: Invocation): void {
  invocation.parts--;
  if (invocation.parts > 0 || invocation.closed) return;
  closeInvocation(invocation);
  host(HOST.done, invocation.id, invocation.failed ? 'exception' : 'ok');
}

/** The handler itself failed: the outcome is `exception` and the cell answers for it. */
export function failInvocation(invocation: Invocation, thrown: unknown): void {
  reportFailure(invocation, thrown);
  endPart(invocation);
}

/** Tells the host of an exception that makes the outcome `exception`. */
export function reportFailure(invocation: Invocation, thrown: unknown): void {
  invocation.failed = true;
  reportException(invocation, thrown);
}

/** Tells the host of an exception. The outcome stays as it is, as for a `waitUntil` promise that rejects. */
export function reportException(invocation: Invocation | undefined, thrown: unknown): void {
  reportExceptionTo(invocation === undefined || invocation.closed ? 0 : invocation.id, thrown);
}

/** The same of an invocation that may have been forgotten here, but not by the host. */
export function reportExceptionTo(id: number, thrown: unknown): void {
  const { name, message, stack } = describeError(thrown);
  host(HOST.exception, id, name, message, stack);
}

export function hold(invocation: Invocation, resource: Resource): void {
  invocation.resources ??= new SafeSet();
  invocation.resources.add(resource);
}

export function release(invocation: Invocation, resource: Resource): void {
  invocation.resources?.delete(resource);
}

/** Its client has gone. */
export function abortInvocation(invocation: Invocation): void {
  invocation.aborted = true;
  const { onAbort } = invocation;
  invocation.onAbort = undefined;
  onAbort?.();
}

/** Forgets everything it had. Idempotent; the host forgets its side by itself. */
export function closeInvocation(invocation: Invocation): void {
  if (invocation.closed) return;
  invocation.closed = true;
  if (invocation === latest) latest = undefined;
  else open.delete(invocation.id);
  invocation.onAbort = undefined;
  const { resources } = invocation;
  if (resources === undefined) return;
  invocation.resources = undefined;
  resources.forEach((resource) => {
    resource.drop();
  });
}
