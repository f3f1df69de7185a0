/** `fetch()`: to the network and, as a method of a service binding, to another Worker. */
import { HOST } from '../abi.ts';
import { host, nextId } from '../runtime/host.ts';
import { InStream } from '../runtime/in-streams.ts';
import {
  NativePromise,
  promiseReject,
  promiseResolve,
  promiseThen,
  SafeMap,
  stringIndexOf,
  stringSlice,
} from '../runtime/intrinsics.ts';
import { hold, release, requireInvocation, type Invocation, type Resource } from '../runtime/invocations.ts';
import { loadPart } from '../runtime/parts.ts';
import { limits } from '../runtime/limits.ts';
import { OutStream } from '../runtime/out-streams.ts';
import { exactBuffer } from './bytes.ts';
import { isBodyUnusable, isStreamSource, type Body, withLength } from './body.ts';
import { getHeader, headersToHead } from './headers.ts';
import { abortReason, type AbortSignal, addAbortAlgorithm, isAborted, utf8Decode } from './platform.ts';
import { checkOrigin, clientHead, responseType } from './client.ts';
import type { RequestSettings } from './request-settings.ts';
import { isRequest, Request, requestParts } from './request.ts';
import { fetchedResponse, type Response, type ResponseType, responseState } from './response.ts';
import { webSockets } from './sockets.ts';

/** What fetch uses of parts/integrity.ts. */
interface Integrity {
  hasIntegrity(bytes: Uint8Array, metadata: string): Promise<boolean>;
}

/** What fetch uses of parts/local-urls.ts. */
interface LocalUrls {
  readLocalUrl(url: string, method: string): { readonly type: string; readonly bytes: ArrayBuffer } | undefined;
}

const calls = new SafeMap<number, FetchCall>();

const SWITCHED = '101\n'; // how the head of a WebSocket's handshake begins

/** Network, as the index of a service binding. */
export const NETWORK = -1;

/** `fetch(input, init)` to the network (`NETWORK`) or to a service binding by its index. */
export function startFetch(input: unknown, init: unknown, binding: number): Promise<Response> {
  try {
    const invocation = requireInvocation();
    const request = isRequest(input) && (init === undefined || init === null) ? input : new Request(input, init);
    return send(request, binding, invocation);
  } catch (error) {
    return promiseReject(error);
  }
}

/**
 * Asks an http(s) URL for a WebSocket, as `new WebSocket` does: without redirects. `fields` are further lines of the head,
 * each with a line break before it.
 */
export function startHandshake(url: string, fields: string): { response: Promise<Response>; cancel: () => void } {
  const invocation = requireInvocation();
  countCall(invocation);
  let call: FetchCall;
  const response = new NativePromise<Response>((resolve, reject) => {
    const accept = toResponse({ resolve, reject, isNetwork: true, settings: undefined });
    call = new FetchCall(invocation, accept, reject, null);
    host(HOST.fetch, call.id, invocation.id, `GET\n${url}\nerror\nupgrade\nwebsocket${fields}`, undefined, NETWORK);
  });
  return { response, cancel: () => call.cancel() };
}

/** The host's answer to a call of ours. Unknown ids (aborted meanwhile) are dropped. */
export function deliverFetch(id: number, ok: boolean, head: unknown, body: unknown): void {
  calls.get(id)?.deliver(ok, head, body);
}

export function findCall(id: number): { readonly invocation: Invocation } | undefined {
  return calls.get(id);
}

function send(request: Request, binding: number, invocation: Invocation): Promise<Response> {
  const { url, method, headers, body, signal, redirect, settings } = requestParts(request);
  if (signal !== null && isAborted(signal)) {
    body.used = body.source !== null;
    throw abortReason(signal);
  }
  const isNetwork = binding === NETWORK;
  if (isBodyUnusable(body)) throw new TypeError('The body of the request has already been used');
  const hash = stringIndexOf(url, '#');
  const target = hash === -1 ? url : stringSlice(url, 0, hash);
  if (isNetwork && !isHttp(url)) return promiseResolve(fetchLocal(target, method));
  if (isNetwork) {
    checkOrigin(url, settings);
    // `caches` is asked by the Worker itself; between it and the network there is no other.
    if (settings?.cache === 'only-if-cached')
      throw new TypeError(`Cannot fetch ${url}: cache is 'only-if-cached', and nothing is`);
  }
  countCall(invocation);
  const head = `${method}\n${target}\n${redirect}${isNetwork ? clientHead(settings) : ''}${headers === null ? '' : headersToHead(headers)}`;
  return new NativePromise((resolve, reject) => {
    const accept = toResponse({ resolve, reject, isNetwork, settings });
    startCall(new FetchCall(invocation, accept, reject, signal), head, body, binding);
  });
}

/** What the cache or a binding answers: its head, and a body. */
export interface BindingAnswer {
  readonly head: string;
  readonly body: InStream | ArrayBuffer | undefined;
}

/**
 * Asks the binding of this index, or the account's cached responses (`CACHE_INDEX`): a head as that one has it, and a
 * body to put.
 */
export function askBinding(binding: number, head: string, body: Body): Promise<BindingAnswer> {
  return new NativePromise((resolve, reject) => {
    const invocation = requireInvocation();
    countCall(invocation);
    const deliver = (answer: string, content: BindingAnswer['body']): void => {
      resolve({ head: answer, body: content });
    };
    const call = new FetchCall(invocation, deliver, reject, null);
    call.onUploadFailed = (reason) => {
      call.drop();
      reject(reason);
    };
    startCall(call, head, body, binding);
  });
}

/** The body of an answer, as text. */
export function readAnswer({ body }: BindingAnswer): Promise<string> {
  return new NativePromise((resolve, reject) => {
    const accept = (bytes: ArrayBuffer | undefined): void => {
      resolve(bytes === undefined ? '' : utf8Decode(new Uint8Array(bytes)));
    };
    if (!(body instanceof InStream)) return accept(body);
    body.pull(true, (bytes, _end, failure) => {
      if (failure === undefined) accept(bytes);
      else reject(failure.reason);
    });
  });
}

function startCall(call: FetchCall, head: string, body: Body, binding: number): void {
  const { invocation } = call;
  const payload = outgoingBody(body, invocation);
  if (!(payload instanceof OutStream)) {
    host(HOST.fetch, call.id, invocation.id, head, payload, binding);
    return;
  }
  call.upload = payload;
  payload.onFailed = call.onUploadFailed;
  host(HOST.fetch, call.id, invocation.id, withLength(head, body), payload.id, binding);
  payload.start();
}

function countCall(invocation: Invocation): void {
  if (invocation.subrequests >= limits.subrequests) {
    throw new Error(`Too many subrequests: an invocation may make ${limits.subrequests}`);
  }
  if (calls.size >= limits.maxPendingHostCalls) {
    throw new Error(`Too many pending requests: a Worker may have ${limits.maxPendingHostCalls} at once`);
  }
  invocation.subrequests++;
}

/** A response to a URL that needs no network. Throws a TypeError for all but `data:` and `blob:`. */
function fetchLocal(url: string, method: string): Response {
  const isKnown = stringIndexOf(url, 'data:') === 0 || stringIndexOf(url, 'blob:') === 0;
  const content = isKnown ? (loadPart('local-urls') as unknown as LocalUrls).readLocalUrl(url, method) : undefined;
  if (content === undefined) {
    throw new TypeError(
      isKnown
        ? `Fetch API cannot load: ${url}: there is nothing to be had at this URL`
        : `Fetch API cannot load: ${url}: only http:, https:, data: and blob: are supported`,
    );
  }
  const { type, bytes } = content;
  const length = stringIndexOf(url, 'blob:') === 0 ? `\ncontent-length\n${bytes.byteLength}` : '';
  const head = `200\nOK\n${url}\n0\ncontent-type\n${type}${length}`;
  return fetchedResponse(head, method === 'HEAD' ? undefined : bytes, 'basic');
}

function outgoingBody(body: Body, invocation: Invocation): string | ArrayBuffer | OutStream | undefined {
  const { source } = body;
  if (source === null) return undefined;
  body.used = true;
  if (typeof source === 'string') return source;
  if (isStreamSource(source)) return new OutStream(source, invocation);
  return exactBuffer(source, source.byteLength);
}

/** Takes the head of an answer and its body. */
type Accept = (head: string, body: InStream | ArrayBuffer | undefined, call: FetchCall) => void;

class FetchCall implements Resource {
  readonly id = nextId();
  readonly invocation: Invocation;
  /** The body, while it streams: dropped when the call comes to nothing. */
  upload: OutStream | undefined = undefined;
  /** Hears why the body failed, before the host has it from us. Without it, the host's answer counts. */
  onUploadFailed: ((reason: unknown) => void) | undefined = undefined;
  readonly #accept: Accept;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | null;
  #forgetSignal: (() => void) | undefined = undefined;

  constructor(invocation: Invocation, accept: Accept, reject: (reason: unknown) => void, signal: AbortSignal | null) {
    this.invocation = invocation;
    this.#accept = accept;
    this.#reject = reject;
    this.#signal = signal;
    calls.set(this.id, this);
    hold(invocation, this);
    if (signal !== null) this.#forgetSignal = addAbortAlgorithm(signal, () => this.#abort(signal));
  }

  deliver(ok: boolean, head: unknown, body: unknown): void {
    this.drop();
    if (!ok) {
      const error = new TypeError(head as string);
      this.upload?.cancel(error);
      this.#reject(error);
      return;
    }
    const stream = typeof body === 'number' && body !== 0 ? new InStream(body, this.invocation) : undefined;
    const signal = this.#signal;
    if (stream !== undefined && signal !== null) {
      addAbortAlgorithm(signal, () => stream.abort(abortReason(signal)));
    }
    this.#accept(head as string, stream ?? (body === 0 ? undefined : (body as ArrayBuffer | undefined)), this);
  }

  drop(): void {
    calls.delete(this.id);
    release(this.invocation, this);
    this.#forgetSignal?.();
    this.#forgetSignal = undefined;
  }

  /** Nothing comes of it any more. */
  cancel(): void {
    this.drop();
    host(HOST.cancel, this.id);
  }

  #abort(signal: AbortSignal): void {
    this.cancel();
    this.upload?.cancel(abortReason(signal));
    this.#reject(abortReason(signal));
  }
}

interface FetchPromise {
  readonly resolve: (response: Response) => void;
  readonly reject: (reason: unknown) => void;
  readonly isNetwork: boolean;
  readonly settings: RequestSettings | undefined;
}

function toResponse({ resolve, reject, isNetwork, settings }: FetchPromise): Accept {
  return (head, body, { id, invocation }) => {
    if (stringSlice(head, 0, SWITCHED.length) === SWITCHED) {
      const response = fetchedResponse(head, undefined, 'basic');
      const state = responseState(response)!;
      const protocol = getHeader(state.headers!, 'sec-websocket-protocol') ?? '';
      state.webSocket = webSockets().adopt(id, invocation, protocol);
      resolve(response);
      return;
    }
    const type = isNetwork ? responseType(head, settings) : 'default';
    if (type === 'cors' && settings?.mode === 'same-origin') {
      if (body instanceof InStream) body.stop();
      reject(new TypeError("Cannot fetch: a redirect led to another origin, and mode is 'same-origin'"));
      return;
    }
    const integrity = isNetwork ? (settings?.integrity ?? '') : '';
    if (integrity === '') resolve(fetchedResponse(head, body, type));
    else verify(body, type === 'opaque' ? undefined : integrity, { resolve, reject, head, type });
  };
}

interface Verified {
  readonly resolve: (response: Response) => void;
  readonly reject: (reason: unknown) => void;
  readonly head: string;
  readonly type: ResponseType;
}

/** Hands the response out once its whole body has been found to be the one that the request asks for. */
function verify(
  body: InStream | ArrayBuffer | undefined,
  integrity: string | undefined,
  { resolve, reject, head, type }: Verified,
): void {
  const check = (whole: ArrayBuffer = new ArrayBuffer(0)): void => {
    const { hasIntegrity } = loadPart('integrity') as unknown as Integrity;
    void promiseThen(
      integrity === undefined ? promiseResolve(false) : hasIntegrity(new Uint8Array(whole), integrity),
      (isRight) => {
        if (isRight) resolve(fetchedResponse(head, whole, type));
        else reject(new TypeError('Cannot fetch: the body does not have the integrity that was asked for'));
      },
      reject,
    );
  };
  if (!(body instanceof InStream)) check(body);
  else {
    body.pull(true, (bytes, _end, failure) => {
      if (failure === undefined) check(bytes);
      else reject(failure.reason);
    });
  }
}

function isHttp(url: string): boolean {
  return stringIndexOf(url, 'http:') === 0 || stringIndexOf(url, 'https:') === 0;
}
