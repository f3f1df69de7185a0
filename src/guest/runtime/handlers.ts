/** The Worker's own event handlers: found once at attach, called for each event. */
import { HOST } from '../abi.ts';
import { exactBuffer } from '../fetch/bytes.ts';
import {
  incomingRequest,
  isBodyUnusable,
  isResponse,
  isStreamSource,
  responseParts,
  withLength,
} from '../fetch/index.ts';
import { createContext, type ExecutionContext } from './context.ts';
import { host } from './host.ts';
import { promiseThen, promiseResolve, reflectApply } from './intrinsics.ts';
import type { Invocation } from './invocations.ts';
import { OutStream } from './out-streams.ts';
import { ScheduledController } from './scheduled.ts';

type Handler = (event: unknown, env: unknown, context: ExecutionContext) => unknown;

let env: unknown;
let exported: object | undefined;
let onFetch: Handler | undefined;
let onScheduled: Handler | undefined;
/** Set when the default export is a class: it is constructed for each event. */
let construct: (new (context: ExecutionContext, env: unknown) => Record<string, unknown>) | undefined;

/** Takes the handlers of a main module's default export. Answers their names; throws a TypeError when there are none. */
export function attachHandlers(namespace: unknown, environment: unknown): string {
  env = environment;
  const main = (namespace as { default?: unknown }).default;
  if ((typeof main !== 'object' && typeof main !== 'function') || main === null) {
    throw new TypeError(
      'The main module has no default export with event handlers, such as { fetch(request, env, ctx) {} }',
    );
  }
  exported = main;
  let handlers = main as { fetch?: unknown; scheduled?: unknown };
  if (typeof main === 'function') {
    const { prototype } = main as { prototype?: unknown };
    if (typeof prototype === 'object' && prototype !== null) {
      handlers = prototype;
      construct = main as typeof construct;
    }
  }
  const { fetch, scheduled } = handlers;
  onFetch = typeof fetch === 'function' ? (fetch as Handler) : undefined;
  onScheduled = typeof scheduled === 'function' ? (scheduled as Handler) : undefined;
  if (onFetch === undefined && onScheduled === undefined) {
    throw new TypeError('The default export of the main module has no fetch() or scheduled() handler');
  }
  if (onFetch === undefined) return 'scheduled';
  return onScheduled === undefined ? 'fetch' : 'fetch,scheduled';
}

export function runFetch(invocation: Invocation, head: string, body: ArrayBuffer | undefined, streamId: number): void {
  let answer: unknown;
  try {
    if (onFetch === undefined) throw new TypeError('The Worker has no fetch() handler');
    answer = callHandler(onFetch, invocation, incomingRequest(head, body, streamId, invocation));
  } catch (error) {
    invocation.fail(error);
    return;
  }
  if (isResponse(answer)) {
    try {
      respond(invocation, answer);
    } catch (error) {
      invocation.fail(error);
    }
    return;
  }
  settle(invocation, answer, (response) => {
    respond(invocation, response);
  });
}

export function runScheduled(invocation: Invocation, cron: string, at: number): void {
  let answer: unknown;
  try {
    if (onScheduled === undefined) throw new TypeError('The Worker has no scheduled() handler');
    answer = callHandler(onScheduled, invocation, new ScheduledController(cron, at));
  } catch (error) {
    invocation.fail(error);
    return;
  }
  settle(invocation, answer, () => {
    invocation.end();
  });
}

function callHandler(handler: Handler, invocation: Invocation, event: unknown): unknown {
  const context = createContext(invocation);
  if (construct === undefined) return reflectApply(handler, exported, [event, env, context]);
  return reflectApply(handler, new construct(context, env), [event]);
}

function settle(invocation: Invocation, answer: unknown, onFulfilled: (value: unknown) => void): void {
  const onRejected = (reason: unknown): void => {
    if (!invocation.closed) invocation.fail(reason);
  };
  try {
    void promiseThen(
      promiseResolve(answer),
      (value) => {
        if (invocation.closed) return;
        try {
          onFulfilled(value);
        } catch (error) {
          onRejected(error);
        }
      },
      onRejected,
    );
  } catch (error) {
    onRejected(error);
  }
}

function respond(invocation: Invocation, response: unknown): void {
  if (!isResponse(response)) {
    invocation.fail(new TypeError('The fetch() handler did not return a Response object'));
    return;
  }
  const { status, head, body } = responseParts(response);
  if (status === 0) {
    invocation.fail(new TypeError('The fetch() handler returned Response.error()'));
    return;
  }
  let whole: string | ArrayBuffer | undefined;
  if (body !== null) {
    if (isBodyUnusable(body)) {
      invocation.fail(new TypeError('The fetch() handler returned a Response whose body has already been used'));
      return;
    }
    body.used = true;
    const { source } = body;
    if (isStreamSource(source)) {
      const stream = new OutStream(source, invocation);
      host(HOST.respond, invocation.id, status, withLength(head, body), undefined, stream.id);
      stream.start();
      invocation.end();
      return;
    }
    whole = typeof source === 'string' ? source : exactBuffer(source, source.byteLength);
  }
  if (invocation.isSimple) {
    invocation.close();
    host(HOST.respond, invocation.id, status, head, whole, -1);
    return;
  }
  host(HOST.respond, invocation.id, status, head, whole, 0);
  invocation.end();
}
