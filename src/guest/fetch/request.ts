/** `Request`. The one given to a handler is a head text and a body: nothing is parsed until it is asked for. */
import { InStream } from '../runtime/in-streams.ts';
import type { Invocation } from '../runtime/invocations.ts';
import { regExpExec, stringIndexOf, stringSlice, toUpperCase } from '../runtime/intrinsics.ts';
import {
  type Body,
  cloneBody,
  defineBodyMethods,
  extractBody,
  isBodyUnusable,
  isStreamSource,
  moveBody,
} from './body.ts';
import { addHeader, getHeader, Headers, headersFromHead } from './headers.ts';
import { checkSettings, DEFAULT_SETTINGS, readSettings, type RequestSettings } from './request-settings.ts';
import { defineInterface, toDOMString } from '../webidl.ts';
import {
  type AbortSignal,
  createAborter,
  followSignal,
  isAbortSignal,
  neverAborted,
  parseRequestHref,
} from './platform.ts';

/** With this and an invocation as its arguments, the runtime makes the request of a fetch event without a body. */
export const INCOMING = Symbol('incoming');
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NORMALIZED_METHOD = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN_METHOD = /^(?:connect|trace|track)$/i;
const REDIRECT = /^(?:follow|error|manual)$/;

export type RedirectMode = 'follow' | 'error' | 'manual';

/** All there is to a request, in one record. */
interface RequestState extends Body {
  readonly kind: 'request';
  /** Text still to be parsed, of an incoming request. */
  head: string | undefined;
  method: string | undefined;
  url: string | undefined;
  headers: Headers | undefined;
  signal: AbortSignal | undefined;
  /** Of an incoming request: whose client may go away. */
  invocation: Invocation | undefined;
  redirect: RedirectMode;
  settings: RequestSettings | undefined;
  cf: unknown;
}

/** What `fetch` sends; read past every method a tenant may have replaced. */
export interface RequestParts {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers | null;
  readonly body: Body;
  readonly signal: AbortSignal | null;
  readonly redirect: RedirectMode;
  readonly settings: RequestSettings | undefined;
}

let findState: (value: unknown) => RequestState | undefined;

export class Request {
  /** Of an incoming request without a body that nobody has looked at, only its invocation. */
  #state: RequestState | Invocation;

  constructor(input: unknown, init?: unknown) {
    if (input === INCOMING) {
      this.#state = init as RequestState | Invocation;
      return;
    }
    const state = newState(undefined, undefined);
    this.#state = state;
    if (arguments.length < 1)
      throw new TypeError("Failed to construct 'Request': 1 argument required, but only 0 present");
    const options = toInit(init);
    const source = findState(input);
    if (source === undefined) {
      state.url = toRequestUrl(input);
      state.method = 'GET';
    } else {
      state.url = readUrl(source);
      state.method = readMethod(source);
      state.redirect = source.redirect;
      state.settings = source.settings;
      state.cf = source.cf;
    }
    if (options !== undefined) readOptions(state, options);
    const signal = options?.signal;
    if (signal !== undefined && signal !== null) {
      if (!isAbortSignal(signal))
        throw new TypeError("Failed to construct 'Request': init.signal is not an AbortSignal");
      state.signal = followSignal(signal);
    } else if (signal === undefined && source !== undefined && hasSignal(source)) {
      state.signal = followSignal(readSignal(source));
    }
    const headers = options?.headers;
    if (headers !== undefined) state.headers = new Headers(headers);
    else if (source !== undefined) state.headers = new Headers(readHeaders(source));
    readBody(state, options?.body, source);
    if (state.settings !== undefined)
      checkSettings(state.settings, state.method ?? 'GET', isStreamSource(state.source));
  }

  get method(): string {
    return readMethod(this.#read());
  }

  get url(): string {
    return readUrl(this.#read());
  }

  get headers(): Headers {
    return readHeaders(this.#read());
  }

  get signal(): AbortSignal {
    return readSignal(this.#read());
  }

  get redirect(): RedirectMode {
    return this.#read().redirect;
  }

  get cf(): unknown {
    return this.#read().cf;
  }

  get cache(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).cache;
  }

  get credentials(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).credentials;
  }

  get destination(): string {
    this.#read();
    return '';
  }

  get duplex(): string {
    this.#read();
    return 'half';
  }

  get integrity(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).integrity;
  }

  get isHistoryNavigation(): boolean {
    this.#read();
    return false;
  }

  get isReloadNavigation(): boolean {
    this.#read();
    return false;
  }

  get keepalive(): boolean {
    return (this.#read().settings ?? DEFAULT_SETTINGS).keepalive;
  }

  get mode(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).mode;
  }

  get referrer(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).referrer;
  }

  get referrerPolicy(): string {
    return (this.#read().settings ?? DEFAULT_SETTINGS).referrerPolicy;
  }

  clone(): Request {
    const state = this.#read();
    if (isBodyUnusable(state)) {
      throw new TypeError("Failed to execute 'clone' on 'Request': the body has already been used");
    }
    const copy = newState(state.head, state.invocation);
    copy.method = state.method;
    copy.url = state.url;
    if (state.headers !== undefined) copy.headers = new Headers(state.headers);
    if (state.signal !== undefined) copy.signal = followSignal(state.signal);
    copy.redirect = state.redirect;
    copy.settings = state.settings;
    copy.cf = state.cf;
    cloneBody(state, copy);
    return new Request(INCOMING, copy);
  }

  #read(): RequestState {
    const state = this.#state;
    if (state.kind === 'request') return state;
    const read = newState(state.head, state);
    this.#state = read;
    return read;
  }

  static {
    findState = (value) => (typeof value === 'object' && value !== null && #state in value ? value.#read() : undefined);
    defineBodyMethods(
      Request.prototype,
      (self) => (self as Request).#read(),
      (self) => getHeader(readHeaders((self as Request).#read()), 'content-type'),
    );
  }
}

defineInterface(Request, 'Request');
Object.defineProperty(Request, 'length', { value: 1, configurable: true });

/** The request of a fetch event with a body: the bytes, or the host's stream of that id. */
export function incomingWithBody(invocation: Invocation, body: ArrayBuffer | undefined, streamId: number): Request {
  const state = newState(invocation.head, invocation);
  state.source = body === undefined ? new InStream(streamId, invocation) : new Uint8Array(body);
  return new Request(INCOMING, state);
}

export function isRequest(value: unknown): value is Request {
  return findState(value) !== undefined;
}

export function requestParts(request: Request): RequestParts {
  const state = findState(request)!;
  return {
    url: readUrl(state),
    method: readMethod(state),
    headers: state.headers ?? (state.head === undefined ? null : readHeaders(state)),
    body: state,
    signal: hasSignal(state) ? readSignal(state) : null,
    redirect: state.redirect,
    settings: state.settings,
  };
}

function newState(head: string | undefined, invocation: Invocation | undefined): RequestState {
  return {
    kind: 'request',
    source: null,
    used: false,
    shared: false,
    head,
    method: undefined,
    url: undefined,
    headers: undefined,
    signal: undefined,
    invocation,
    redirect: 'follow',
    settings: undefined,
    cf: undefined,
  };
}

function readMethod(state: RequestState): string {
  if (state.method !== undefined) return state.method;
  const head = state.head!;
  state.method = stringSlice(head, 0, stringIndexOf(head, '\n'));
  return state.method;
}

function readUrl(state: RequestState): string {
  if (state.url !== undefined) return state.url;
  const head = state.head!;
  const start = stringIndexOf(head, '\n') + 1;
  const end = stringIndexOf(head, '\n', start);
  state.url = end === -1 ? stringSlice(head, start) : stringSlice(head, start, end);
  return state.url;
}

function readHeaders(state: RequestState): Headers {
  if (state.headers !== undefined) return state.headers;
  const { head } = state;
  if (head === undefined) state.headers = new Headers();
  else {
    const end = stringIndexOf(head, '\n', stringIndexOf(head, '\n') + 1);
    state.headers = headersFromHead(head, end + 1);
  }
  return state.headers;
}

function hasSignal({ signal, invocation }: RequestState): boolean {
  return signal !== undefined || invocation !== undefined;
}

function readSignal(state: RequestState): AbortSignal {
  if (state.signal !== undefined) return state.signal;
  const { invocation } = state;
  if (invocation === undefined) state.signal = neverAborted();
  else {
    const aborter = createAborter();
    state.signal = aborter.signal;
    if (invocation.aborted) aborter.abort();
    else invocation.onAbort = chain(invocation.onAbort, aborter.abort);
  }
  return state.signal;
}

function readOptions(state: RequestState, options: Record<string, unknown>): void {
  const { method, redirect, cf } = options;
  if (method !== undefined) state.method = toMethod(method);
  if (redirect !== undefined) {
    if (typeof redirect !== 'string' || regExpExec(REDIRECT, redirect) === null) {
      throw new TypeError(`Failed to construct 'Request': redirect must be one of follow, error, manual`);
    }
    state.redirect = redirect as RedirectMode;
  }
  if (cf !== undefined) state.cf = cf;
  state.settings = readSettings(options, state.settings);
}

function readBody(state: RequestState, init: unknown, source: RequestState | undefined): void {
  const isGiven = init !== undefined && init !== null;
  if (!isGiven && (source === undefined || source.source === null)) return;
  if (state.method === 'GET' || state.method === 'HEAD') {
    throw new TypeError("Failed to construct 'Request': a request with method GET or HEAD cannot have a body");
  }
  if (isGiven) {
    const type = extractBody(state, init);
    if (type === null) return;
    state.headers ??= new Headers();
    if (getHeader(state.headers, 'content-type') === null) addHeader(state.headers, 'content-type', type);
    return;
  }
  if (source === undefined) return;
  if (isBodyUnusable(source)) {
    throw new TypeError("Failed to construct 'Request': the body of the input request has already been used");
  }
  moveBody(source, state);
}

function toInit(init: unknown): Record<string, unknown> | undefined {
  if (init === undefined || init === null) return undefined;
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError("Failed to construct 'Request': the init is not an object");
  }
  return init as Record<string, unknown>;
}

function toRequestUrl(input: unknown): string {
  const href = parseRequestHref(toDOMString(input));
  if (href === undefined) throw new TypeError(`Failed to construct 'Request': invalid URL, or one with credentials`);
  return href;
}

function toMethod(method: unknown): string {
  const text = toDOMString(method);
  if (regExpExec(TOKEN, text) === null || regExpExec(FORBIDDEN_METHOD, text) !== null) {
    throw new TypeError(`Failed to construct 'Request': invalid method`);
  }
  return regExpExec(NORMALIZED_METHOD, text) === null ? text : toUpperCase(text);
}

function chain(first: (() => void) | undefined, second: () => void): () => void {
  if (first === undefined) return second;
  return () => {
    first();
    second();
  };
}
