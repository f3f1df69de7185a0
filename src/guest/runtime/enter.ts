/** The one door from the host: every event, answer, chunk and timer comes in here. */
import { ENTER } from '../abi.ts';
import { deliverFetch, findCall, findSocket } from '../fetch/index.ts';
import type * as loader from '../parts/module-loader.ts';
import { findAsk } from './asks.ts';
import { finalizersAreDue, flushFinalizers } from './finalization.ts';
import { runEntrypointFetch, runFetch, runScheduled } from './handlers.ts';
import { beginEntry } from './host.ts';
import { findInStream } from './in-streams.ts';
import { stringIndexOf, stringSlice } from './intrinsics.ts';
import {
  abortInvocation,
  closeInvocation,
  currentInvocation,
  findInvocation,
  type Invocation,
  reportException,
  setCurrentInvocation,
  startInvocation,
} from './invocations.ts';
import { findOutStream } from './out-streams.ts';
import { loadPart } from './parts.ts';
import { ScheduledController } from './scheduled.ts';
import { findTimer } from './timers.ts';
import { reportRejection } from './uncaught.ts';

/**
 * Never throws on account of the tenant. Ids that are not known (any more) are dropped: the host may answer what has
 * been abandoned meanwhile.
 *
 * Where hundreds of isolates take turns, each finds the CPU's caches cold, and an entry costs what it touches: on the
 * way of a plain request, functions are few and objects are made whole.
 */
export function enter(
  op: number,
  id: number,
  a: unknown,
  b: unknown,
  c: unknown,
  now: number,
  pooled: boolean,
): unknown {
  beginEntry(now, pooled);
  try {
    if (op === ENTER.fetch) {
      const invocation = startInvocation(id, a as string);
      if (finalizersAreDue) flushFinalizers();
      runFetch(invocation, b as ArrayBuffer | undefined, c as number);
    } else if (op === ENTER.import) return moduleLoader().beginImport(id);
    else if (op === ENTER.imported) return moduleLoader().endImport(id, a as string, b as number);
    else dispatch(op, id, a, b, c);
  } catch (error) {
    // Nothing below is meant to throw; if a tenant has found a way, it is an exception of the tenant's.
    const invocation = currentInvocation();
    if (invocation !== undefined) reportException(invocation, error);
  }
  return undefined;
}

function dispatch(op: number, id: number, a: unknown, b: unknown, c: unknown): void {
  switch (op) {
    case ENTER.scheduled:
      runScheduled(begin(startInvocation(id, '')), new ScheduledController(a as string, b as number, c === 1));
      return;
    case ENTER.fetchEntrypoint: {
      const text = a as string;
      const end = stringIndexOf(text, '\n');
      const invocation = begin(startInvocation(id, stringSlice(text, end + 1)));
      runEntrypointFetch(stringSlice(text, 0, end), invocation, b as ArrayBuffer | undefined, c as number);
      return;
    }
    case ENTER.deliver: {
      const call = findCall(id);
      if (call === undefined) return;
      begin(call.invocation);
      deliverFetch(id, a === 1, b, c);
      return;
    }
    case ENTER.chunk: {
      const stream = findInStream(id);
      if (stream === undefined) return;
      begin(stream.invocation);
      stream.deliver(a as ArrayBuffer | undefined, b as number, c as string | undefined);
      return;
    }
    case ENTER.answer: {
      const found = findAsk(id);
      if (found === undefined) return;
      begin(found.invocation);
      found.deliver(a === 1, b as string, c as ArrayBuffer | undefined);
      return;
    }
    case ENTER.socket: {
      const socket = findSocket(id);
      if (socket === undefined) return;
      begin(socket.invocation).subrequests = 0; // each event may make as many as a request
      socket.deliver(a as number, b as string | ArrayBuffer, c as number);
      return;
    }
    case ENTER.timer: {
      const timer = findTimer(id);
      if (timer === undefined) return;
      begin(timer.invocation);
      timer.fire();
      return;
    }
    case ENTER.credit: {
      const stream = findOutStream(id);
      if (stream === undefined) return;
      begin(stream.invocation);
      stream.grant(a as number);
      return;
    }
    case ENTER.abort: {
      const invocation = findInvocation(id);
      if (invocation !== undefined) abortInvocation(begin(invocation));
      return;
    }
    case ENTER.rejection: {
      const invocation = findInvocation(id);
      if (invocation !== undefined) begin(invocation);
      reportRejection(id, a as string);
      return;
    }
    case ENTER.close: {
      const invocation = findInvocation(id);
      if (invocation !== undefined) closeInvocation(begin(invocation));
      return;
    }
    default:
      throw new Error(`Unknown operation ${op}`);
  }
}

function moduleLoader(): typeof loader {
  return loadPart('module-loader') as typeof loader;
}

function begin(invocation: Invocation): Invocation {
  setCurrentInvocation(invocation);
  if (finalizersAreDue) flushFinalizers();
  return invocation;
}
