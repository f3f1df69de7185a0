/**
 * What nobody has caught: exceptions of listeners and timers, and rejections without a handler. Each is told to the
 * tenant as an event first (`error`, `unhandledrejection`); what no listener cancels becomes an exception in the log.
 *
 * V8 tells of a rejection to isolated-vm alone, which at the end of an entry hands the first reason to the host, as a
 * copy. So the host enters once more and says so. The reason itself is found by the one thing that isolated-vm does to
 * it inside the isolate: it reads `stack`, and for an Error whose stack nobody has read yet, V8 then asks for
 * `Error.prepareStackTrace` (stacks.ts).
 */
import { dispatchGlobal, type Event, eventKinds, hasGlobalListeners } from '../events/index.ts';
import { describeError } from './describe.ts';
import { jsonParse, promiseReject, promiseThen, regExpExec, stringSlice } from './intrinsics.ts';
import {
  currentInvocation,
  findInvocation,
  type Invocation,
  reportException,
  reportExceptionTo,
} from './invocations.ts';
import { takeLastRead } from './stacks.ts';

const NativeError = Error;
const COMPARED = 1_000; // characters of a message
const POSITION = /\n {4}at .*?\(?([^\s()]+):(\d+):(\d+)\)?(?:\n|$)/;

let isReporting = false;

/** Answers false when a listener has canceled the event. */
function dispatch(type: string, make: () => Event): boolean {
  return !hasGlobalListeners(type) || dispatchGlobal(make());
}

/** For exceptions that nobody can catch any more. */
export function reportUncaught(error: unknown): void {
  if (!isReporting) {
    isReporting = true; // a listener that throws is reported without another event
    try {
      if (!dispatch('error', () => toErrorEvent(error))) return;
    } finally {
      isReporting = false;
    }
  }
  reportException(currentInvocation(), error);
}

function toErrorEvent(error: unknown): Event {
  const description = describeError(error);
  const { name, message, stack } = description;
  const position = regExpExec(POSITION, stack);
  const isObject = (typeof error === 'object' && error !== null) || typeof error === 'function';
  return new (eventKinds().ErrorEvent)('error', {
    cancelable: true,
    error,
    message: `Uncaught ${isObject ? `${name}: ${message}` : message}`,
    filename: position?.[1] ?? '',
    lineno: Number(position?.[2] ?? 0),
    colno: Number(position?.[3] ?? 0),
  });
}

/** A rejection was not handled during the entry before this one. `json` is what the host knows of the reason. */
export function reportRejection(id: number, json: string): void {
  const invocation: Invocation | undefined = findInvocation(id);
  const reason = findReason(json);
  const make = (): Event => {
    // The promise itself is beyond reach: this is one with its reason.
    const promise = promiseReject(reason);
    void promiseThen(promise, undefined, () => {});
    return new (eventKinds().PromiseRejectionEvent)('unhandledrejection', { cancelable: true, promise, reason });
  };
  if (dispatch('unhandledrejection', make)) reportExceptionTo(invocation?.id ?? id, reason);
}

/** The Error that was read, if it is the one; else what its copy tells. */
function findReason(json: string): unknown {
  const read = takeLastRead();
  const copy = jsonParse(json) as { value?: unknown; name?: string; message?: string; stack?: string };
  const { name, message, stack } = copy;
  if (message === undefined) return copy.value;
  if (read !== undefined && isAlike(describeError(read).message, message)) return read;
  const error = new NativeError(message);
  Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  if (stack !== undefined) Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
  return error;
}

/** Long ones have been cut on both sides. */
function isAlike(message: string, other: string): boolean {
  return stringSlice(message, 0, COMPARED) === stringSlice(other, 0, COMPARED);
}
