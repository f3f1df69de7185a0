/** The Worker's own event handlers: found once at attach, called for each event. */
import { HOST } from '../abi.ts';
import { exactBuffer } from '../fetch/bytes.ts';
import {
  INCOMING,
  incomingWithBody,
  isBodyUnusable,
  isStreamSource,
  Request,
  responseHead,
  type ResponseState,
  responseState,
  webSockets,
  withLength,
} from '../fetch/index.ts';
import { CONTEXT, ExecutionContext } from './context.ts';
import { env } from './env.ts';
import { host } from './host.ts';
import { functionBind, promiseThen, promiseResolve, reflectApply, regExpExec, SafeMap } from './intrinsics.ts';
import { closeInvocation, endPart, failInvocation, type Invocation } from './invocations.ts';
import { OutStream } from './out-streams.ts';
import type { ScheduledController } from './scheduled.ts';

export type Handler = (event: unknown, env: unknown, context: ExecutionContext) => unknown;
type EntryClass = new (context: ExecutionContext, env: unknown) => object;

const UPGRADE = /^GET\n[^]*\nupgrade\nwebsocket(?:\n|$)/i;

/** The handlers, bound at attach to the object that they were found on. */
let onFetch: Handler = missing('fetch');
let onScheduled: Handler = missing('scheduled');
/** Of the main module: where named entrypoints are. */
let exports: object | undefined;
const entrypoints = new SafeMap<string, Handler>();

/** Takes the handlers of a main module's default export. Answers their names; throws a TypeError when there are none. */
export function attachHandlers(namespace: unknown): string {
  const main = readDefault(namespace);
  exports = namespace as object;
  if ((typeof main !== 'object' && typeof main !== 'function') || main === null) {
    throw new TypeError(
      'The main module has no default export with event handlers, such as { fetch(request, env, ctx) {} }',
    );
  }
  const { fetch: fetchHandler, scheduled: scheduledHandler } = findHandlers(main);
  if (fetchHandler === undefined && scheduledHandler === undefined) {
    throw new TypeError('The default export of the main module has no fetch() or scheduled() handler');
  }
  return setHandlers(fetchHandler, scheduledHandler);
}

/** What is called for each event, from here on. Answers the names of those that there are. */
export function setHandlers(fetch: Handler | undefined, scheduled: Handler | undefined): string {
  onFetch = fetch ?? missing('fetch');
  onScheduled = scheduled ?? missing('scheduled');
  if (fetch === undefined) return scheduled === undefined ? '' : 'scheduled';
  return scheduled === undefined ? 'fetch' : 'fetch,scheduled';
}

function readDefault(namespace: unknown): unknown {
  try {
    return (namespace as { default?: unknown }).default;
  } catch {
    throw new TypeError('The main module is still waiting: a top-level await has not settled');
  }
}

interface Handlers {
  readonly fetch: Handler | undefined;
  readonly scheduled: Handler | undefined;
}

function findHandlers(entrypoint: object): Handlers {
  const prototype = typeof entrypoint === 'function' ? (entrypoint as { prototype?: unknown }).prototype : undefined;
  const isClass = typeof prototype === 'object' && prototype !== null;
  const { fetch, scheduled } = (isClass ? prototype : entrypoint) as { fetch?: unknown; scheduled?: unknown };
  const bind = (handler: unknown): Handler | undefined => {
    if (typeof handler !== 'function') return undefined;
    return isClass ? onNew(entrypoint as EntryClass, handler as Handler) : functionBind(handler as Handler, entrypoint);
  };
  return { fetch: bind(fetch), scheduled: bind(scheduled) };
}

/** A default export that is a class is constructed for each event. */
function onNew(type: EntryClass, handler: Handler): Handler {
  return (event, environment, context) => reflectApply(handler, new type(context, environment), [event]);
}

function missing(name: string): Handler {
  return () => {
    throw new TypeError(`The Worker has no ${name}() handler`);
  };
}

/** A fetch event for another export than the default one. */
export function runEntrypointFetch(
  name: string,
  invocation: Invocation,
  body: ArrayBuffer | undefined,
  streamId: number,
): void {
  let handler = entrypoints.get(name);
  if (handler === undefined) {
    try {
      handler = findEntrypoint(name);
    } catch (error) {
      failInvocation(invocation, error);
      return;
    }
    entrypoints.set(name, handler);
  }
  runFetch(invocation, body, streamId, handler);
}

function findEntrypoint(name: string): Handler {
  const entrypoint: unknown =
    exports !== undefined && name in exports ? (exports as Record<string, unknown>)[name] : undefined;
  if ((typeof entrypoint !== 'object' && typeof entrypoint !== 'function') || entrypoint === null) {
    throw new TypeError(`The Worker has no entrypoint "${name}": its main module exports nothing of that name`);
  }
  const { fetch } = findHandlers(entrypoint);
  if (fetch === undefined) throw new TypeError(`The entrypoint "${name}" has no fetch() handler`);
  return fetch;
}

export function runFetch(
  invocation: Invocation,
  body: ArrayBuffer | undefined,
  streamId: number,
  handler: Handler = onFetch,
): void {
  try {
    const request =
      body === undefined && streamId <= 0
        ? new Request(INCOMING, invocation)
        : incomingWithBody(invocation, body, streamId);
    const answer = handler(request, env, new ExecutionContext(CONTEXT, invocation));
    const response = responseState(answer);
    if (response === undefined) respondLater(invocation, answer);
    else respond(invocation, response);
  } catch (error) {
    failInvocation(invocation, error);
  }
}

export function runScheduled(invocation: Invocation, controller: ScheduledController): void {
  try {
    const answer = onScheduled(controller, env, new ExecutionContext(CONTEXT, invocation));
    void promiseThen(
      promiseResolve(answer),
      () => {
        if (!invocation.closed) endPart(invocation);
      },
      (reason) => {
        if (!invocation.closed) failInvocation(invocation, reason);
      },
    );
  } catch (error) {
    failInvocation(invocation, error);
  }
}

/** Answers once the promise has settled. Throws what the promise does when it is asked to. */
function respondLater(invocation: Invocation, answer: unknown): void {
  void promiseThen(
    promiseResolve(answer),
    (value) => {
      if (invocation.closed) return;
      try {
        respond(invocation, responseState(value));
      } catch (error) {
        failInvocation(invocation, error);
      }
    },
    (reason) => {
      if (!invocation.closed) failInvocation(invocation, reason);
    },
  );
}

/** Hands the response over. Throws, before that, when there is nothing to hand over. */
function respond(invocation: Invocation, response: ResponseState | undefined): void {
  if (response === undefined) throw new TypeError('The fetch() handler did not return a Response object');
  const { status, source } = response;
  if (status === 0) throw new TypeError('The fetch() handler returned Response.error()');
  if (status === 101) {
    respondWithSocket(invocation, response);
    return;
  }
  if (source !== null) {
    if (typeof source === 'string' ? response.used : isBodyUnusable(response)) {
      throw new TypeError('The fetch() handler returned a Response whose body has already been used');
    }
    response.used = true;
    if (typeof source !== 'string' && isStreamSource(source)) {
      const stream = new OutStream(source, invocation);
      host(HOST.respond, invocation.id, status, withLength(responseHead(response), response), undefined, stream.id);
      stream.start();
      endPart(invocation);
      return;
    }
  }
  const { headers, list } = response;
  const head =
    headers === undefined && list === undefined ? response.statusText + response.implied : responseHead(response);
  const whole =
    source === null ? undefined : typeof source === 'string' ? source : exactBuffer(source, source.byteLength);
  // Nothing but the handler itself holds it: a complete answer ends it in the same breath.
  const ends = invocation.parts === 1 && !invocation.failed;
  if (ends) closeInvocation(invocation);
  host(HOST.respond, invocation.id, status, head, whole, ends ? -1 : 0);
  if (!ends) endPart(invocation);
}

function respondWithSocket(invocation: Invocation, response: ResponseState): void {
  const { webSocket } = response;
  if (webSocket === undefined) throw new TypeError('The fetch() handler returned a Response with status 101 again');
  if (regExpExec(UPGRADE, invocation.head) === null) {
    throw new TypeError(
      'The fetch() handler returned a WebSocket to a request that did not ask for one with "Upgrade: websocket"',
    );
  }
  webSockets().give(webSocket, invocation, responseHead(response));
  endPart(invocation);
}
