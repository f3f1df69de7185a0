/**
 * What a guest asks of its host: each operation of the ABI, its arguments checked, handed to whoever does it. The guest
 * runtime is ours, but it runs beside the tenant's code: an argument of a wrong type ends the invocation.
 */
import { randomBytes } from 'node:crypto';
import { CACHE_INDEX, ENTER, HOST, HOST_SYNC } from '../guest/abi.ts';
import { MAX_LOG_BYTES, MAX_PENDING_HOST_CALLS, MAX_SERVICE_DEPTH, MAX_WEB_SOCKETS } from '../limits.ts';
import type { LogLine, VersionSpec } from '../model.ts';
import type { Instance } from './instance.ts';
import type { Invocation } from './invocation.ts';
import { domainToAscii } from './domain.ts';
import { OutStream } from './out-stream.ts';
import type { Resource } from './resources.ts';
import { type Services, toErrorText } from './services/index.ts';
import { withTraceparent } from './invocation-trace.ts';
import { withoutRuntime } from './own-frames.ts';
import { Subrequest, type SubrequestBody } from './subrequest.ts';
import { isUpgradeHead, WebSocketEnd } from './web-socket.ts';

type Arguments = readonly [a: unknown, b: unknown, c: unknown, d: unknown];

const MAX_RANDOM_BYTES = 65_536;
const MAX_QUEUED_ENTRIES = 10 * MAX_PENDING_HOST_CALLS;
const MAX_TIMER_MS = 0x7fffffff;
const LEVELS: ReadonlySet<string> = new Set(['debug', 'error', 'info', 'log', 'warn']);

export function handleHostCall(instance: Instance, op: number, id: number, parameters: Arguments): void {
  if (!isId(id)) return;
  const [a, b] = parameters;
  switch (op) {
    case HOST.respond:
      return respond(instance, id, parameters);
    case HOST.write: {
      const chunk = toBody(a);
      if (chunk !== undefined) instance.outStreams.get(id)?.write(chunk);
      return;
    }
    case HOST.end:
      instance.outStreams.get(id)?.end();
      return;
    case HOST.fail:
      instance.outStreams.get(id)?.fail();
      return;
    case HOST.pull:
      instance.inStreams.get(id)?.pull(a === 1);
      return;
    case HOST.stop: {
      instance.inStreams.get(id)?.stop();
      return;
    }
    case HOST.fetch:
      return subrequest(instance, id, parameters);
    case HOST.cancel:
      instance.calls.get(id)?.cancel();
      instance.sockets.get(id)?.drop(); // it has been answered meanwhile
      return;
    case HOST.timer: {
      const invocation = instance.invocations.get(toNumber(a));
      const delayMs = Math.min(Math.max(toNumber(b) || 0, 0), MAX_TIMER_MS);
      if (invocation !== undefined) instance.setTimer(id, invocation, delayMs);
      return;
    }
    case HOST.clearTimer:
      return instance.clearTimer(id);
    case HOST.log:
      instance.invocations.get(id)?.log(toLevel(a), withoutRuntime(toLogText(b)), instance.time);
      return;
    case HOST.done:
      return done(instance, id, a === 'ok');
    case HOST.exception: {
      const [name, message, stack] = parameters;
      const info = { name: toLogText(name), message: toLogText(message), stack: withoutRuntime(toLogText(stack)) };
      instance.invocations.get(id)?.exception({ ...info, timestamp: instance.time });
      return;
    }
    case HOST.import: {
      const [inv, asker, specifier] = parameters;
      const invocation = instance.invocations.get(toNumber(inv));
      // Of entries of other kinds there is one for each thing that an instance may have.
      if (instance.queuedEntries > MAX_QUEUED_ENTRIES) invocation?.finish('internalError');
      else if (invocation !== undefined)
        instance.enter(invocation, ENTER.import, id, toNumber(asker), toText(specifier));
      return;
    }
    case HOST.passThrough:
      // Accepted, and without effect: a Worker here is the origin, there is none behind it to pass the request to.
      return;
    case HOST.upgrade:
      return upgrade(instance, id, toText(a), b);
    case HOST.socketPull:
      instance.sockets.get(id)?.pull();
      return;
    case HOST.socketSend: {
      const data = toBody(a);
      if (data !== undefined) instance.sockets.get(id)?.send(data);
      return;
    }
    case HOST.socketClose:
      instance.sockets.get(id)?.close(toNumber(a) & 0xffff, toText(b));
      return;
    case HOST.ask: {
      const [inv, operation, text, bytes] = parameters;
      const invocation = instance.invocations.get(toNumber(inv));
      if (invocation !== undefined)
        askService(instance, invocation, {
          id,
          operation: toText(operation),
          text: toText(text),
          bytes: toBytes(bytes),
        });
      return;
    }
    default:
      instance.invocations.get(id)?.finish('internalError');
  }
}

export function handleHostQuestion(services: Services, op: number, [a, b, c]: readonly unknown[]): unknown {
  switch (op) {
    case HOST_SYNC.random: {
      const bytes = randomBytes(Math.min(Math.max(toNumber(a) || 0, 0), MAX_RANDOM_BYTES));
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
    case HOST_SYNC.domainToAscii:
      return domainToAscii(toText(a));
    case HOST_SYNC.ask:
      return askSync(services, toText(a), toText(b), toBytes(c));
    default:
      return undefined;
  }
}

function respond(instance: Instance, id: number, [status, head, body, rest]: Arguments): void {
  const invocation = instance.invocations.get(id);
  if (invocation === undefined || invocation.responded) return;
  const complete = rest === 0 || rest === -1;
  const code = typeof status === 'number' && status >= 200 && status <= 599 ? status : 500;
  try {
    invocation.respond(code, toText(head), toBody(body), complete);
  } catch (error) {
    invocation.responded = false;
    failToRespond(instance, invocation, error);
    return;
  }
  if (rest === -1) {
    done(instance, id, true);
  } else if (complete) {
    invocation.onAnswered();
  } else if (isId(rest) && !instance.outStreams.has(rest)) {
    const stream = new OutStream(rest, instance, invocation, invocation.exchange);
    instance.outStreams.set(rest, stream);
    invocation.responseBody = stream;
    invocation.hasResources = true;
  }
}

function failToRespond(instance: Instance, invocation: Invocation, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  invocation.exception({ name: 'RangeError', message, stack: '', timestamp: instance.owner.now() });
  invocation.finish('exception');
}

/** The answer 101. `socketId` is new, or of a WebSocket that the guest was given and has not accepted. */
function upgrade(instance: Instance, id: number, head: string, socketId: unknown): void {
  const invocation = instance.invocations.get(id);
  const exchange = invocation?.exchange;
  if (invocation === undefined || exchange === undefined || invocation.responded) return;
  if (!isUpgradeHead(invocation.event.head) || !isId(socketId)) return invocation.finish('internalError');
  const given = instance.sockets.get(socketId);
  try {
    if (given === undefined && instance.sockets.size >= MAX_WEB_SOCKETS) {
      throw new RangeError(`Too many WebSockets: a Worker may have ${MAX_WEB_SOCKETS} open at once`);
    }
    invocation.respond(101, head, undefined, false);
  } catch (error) {
    invocation.responded = false;
    failToRespond(instance, invocation, error);
    return;
  }
  if (given === undefined) invocation.socket = new WebSocketEnd(socketId, instance, { invocation, exchange });
  else given.join(invocation, exchange);
}

/** The guest has settled it. It finishes when the entry is over and its CPU time known. */
function done(instance: Instance, id: number, ok: boolean): void {
  const invocation = instance.invocations.get(id);
  if (invocation === undefined) return;
  invocation.guestDone = true;
  invocation.outcome = ok ? 'ok' : invocation.ranOutOfBuffers ? 'exceededMemory' : 'exception';
  instance.settle(invocation);
}

function subrequest(instance: Instance, id: number, [inv, head, body, bindingIndex]: Arguments): void {
  const invocation = instance.invocations.get(toNumber(inv));
  if (invocation === undefined || typeof head !== 'string') return;
  if (instance.calls.has(id) || instance.sockets.has(id)) return;
  const { host } = instance.owner;
  const target = toTarget(instance.spec, bindingIndex);
  const isService = target === 'service';
  const isResource = typeof target === 'object';
  const isWorkerLike = isService || (isResource && target.kind === 'assets');
  const toHead = isWorkerLike ? serviceHead(head.split('\n', 2)[1] ?? '') : networkHead;
  const kind = isResource ? target.kind : (target ?? 'network');
  const isUpgrade = !isResource && isUpgradeHead(head);
  const call = new Subrequest(id, instance, invocation, { kind, toHead, isUpgrade });
  instance.calls.set(id, call);
  invocation.hasResources = true;
  const refusal =
    target === undefined ? 'There is no such binding.' : refuseSubrequest(instance, invocation, isService);
  if (refusal !== undefined) return call.fail(refusal);
  const source = toSubrequestBody(instance, invocation, body);
  const asked = isWorkerLike ? withoutRedirect(head) : head;
  const isHttp = isWorkerLike || !isResource;
  const sent = call.trace !== undefined && isHttp ? withTraceparent(asked, call.trace) : asked;
  if (isService) {
    instance.owner.callService(instance, call, { bindingIndex: bindingIndex as number, head: sent, body: source });
    return;
  }
  const principal = { account: instance.spec.account, worker: instance.spec.worker, ray: invocation.event.ray };
  call.start((first, fin, events) => {
    const options = { fin, events };
    if (!isResource) return host.openFetch({ ...principal, hops: invocation.hops }, sent, first, options);
    return host.openResource(principal, { ...target, head: sent }, first, options);
  }, source);
}

/** Undefined when the version has no such binding. */
function toTarget({ id, bindings }: VersionSpec, index: unknown): 'network' | 'service' | Resource | undefined {
  if (index === CACHE_INDEX) return { kind: 'cache', id: '' };
  if (typeof index !== 'number' || index < 0) return 'network';
  const binding = bindings[index];
  if (binding?.type === 'service') return 'service';
  if (binding?.type === 'assets') return { kind: 'assets', id };
  if (binding?.type === 'kv_namespace') return { kind: 'kv', id: binding.namespaceId };
  return undefined;
}

function refuseSubrequest(instance: Instance, invocation: Invocation, isService: boolean): string | undefined {
  const limit = instance.spec.limits.subrequests;
  if (++invocation.subrequests > limit) {
    return `Too many subrequests: this invocation made ${limit} already, which is its limit.`;
  }
  if (instance.calls.size > MAX_PENDING_HOST_CALLS) {
    return `Too many pending subrequests: the limit of one instance is ${MAX_PENDING_HOST_CALLS}.`;
  }
  if (isService && invocation.event.depth >= MAX_SERVICE_DEPTH) {
    return `Subrequest depth limit exceeded: service bindings may be nested ${MAX_SERVICE_DEPTH} deep.`;
  }
  return undefined;
}

function toSubrequestBody(instance: Instance, invocation: Invocation, body: unknown): SubrequestBody {
  if (!isId(body) || instance.outStreams.has(body)) return toBody(body);
  const stream = new OutStream(body, instance, invocation, undefined);
  instance.outStreams.set(body, stream);
  return stream;
}

/** The host's head begins with `statusText\nurl\nredirected`, as the guest wants it. */
function networkHead(status: number, head: string): string {
  return `${status}\n${head}`;
}

/** A Worker's head begins with `statusText`; URL and redirection are the caller's knowledge. */
function serviceHead(url: string): (status: number, head: string) => string {
  return (status, head) => {
    const end = head.indexOf('\n');
    const statusText = end < 0 ? head : head.slice(0, end);
    return `${status}\n${statusText}\n${url}\n0${end < 0 ? '' : head.slice(end)}`;
  };
}

/** `method\nurl\nredirect\nname…` without its third field. */
function withoutRedirect(head: string): string {
  const url = head.indexOf('\n') + 1;
  const redirect = head.indexOf('\n', url);
  const rest = head.indexOf('\n', redirect + 1);
  return rest < 0 ? head.slice(0, redirect) : head.slice(0, redirect) + head.slice(rest);
}

interface Question {
  readonly id: number;
  readonly operation: string;
  /** Parameters, as JSON. */
  readonly text: string;
  readonly bytes: Uint8Array | undefined;
}

function askService(instance: Instance, invocation: Invocation, { id, operation, text, bytes }: Question): void {
  const held = bytes?.byteLength ?? 0;
  instance.pendingAsks++;
  instance.heldBytes += held;
  invocation.outstanding++;
  const deliver = (ok: 0 | 1, value: string, result?: Uint8Array) => {
    instance.pendingAsks--;
    instance.heldBytes -= held;
    invocation.outstanding--;
    instance.enter(invocation, ENTER.answer, id, ok, value, result);
  };
  if (instance.pendingAsks > MAX_PENDING_HOST_CALLS) {
    deliver(0, `Error\nToo many pending operations: the limit of one instance is ${MAX_PENDING_HOST_CALLS}.`);
    return;
  }
  if (instance.heldBytes > instance.maxHeldBytes) {
    deliver(0, `RangeError\nToo much data in pending operations: limit is ${instance.maxHeldBytes} bytes`);
    return;
  }
  instance.services.ask(operation, text, bytes, invocation).then(
    (answer) => {
      invocation.cpuUs += answer.cpuUs ?? 0;
      deliver(1, answer.value === undefined ? '' : JSON.stringify(answer.value), answer.bytes);
    },
    (error: unknown) => deliver(0, toErrorText(error)),
  );
}

function askSync(
  services: Services,
  operation: string,
  text: string,
  bytes: Uint8Array | undefined,
): string | ArrayBuffer | undefined {
  try {
    const { value, bytes: result } = services.askSync(operation, text, bytes);
    if (result !== undefined) return new Uint8Array(result).buffer;
    return value === undefined ? undefined : JSON.stringify(value);
  } catch (error) {
    return `!${toErrorText(error)}`;
  }
}

/** What is in no table yet, or already in one, is for each operation to check. */
function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Not `Number()`: what a copied object converts to may throw, or take its time. */
function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** No more of it than a record keeps: looking through the rest would take its time. */
function toLogText(value: unknown): string {
  return toText(value).slice(0, MAX_LOG_BYTES);
}

function toLevel(value: unknown): LogLine['level'] {
  return LEVELS.has(value as string) ? (value as LogLine['level']) : 'log';
}

function toBody(value: unknown): Uint8Array | string | undefined {
  return typeof value === 'string' ? value : toBytes(value);
}

function toBytes(value: unknown): Uint8Array | undefined {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}
