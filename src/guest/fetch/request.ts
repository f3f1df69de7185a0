/** `Request`. The one given to a handler is a head text and a body: nothing is parsed until it is asked for. */
import { InStream } from '../runtime/in-streams.ts';
import type { Invocation } from '../runtime/invocations.ts';
import { regExpExec, stringIndexOf, stringSlice, toUpperCase } from '../runtime/intrinsics.ts';
import { Body, cloneBody, defineBodyMethods, extractBody, isBodyUnusable, moveBody } from './body.ts';
import { addHeader, getHeader, Headers, headersFromHead } from './headers.ts';
import { defineInterface, toDOMString } from '../webidl.ts';
import {
  type AbortSignal,
  createAborter,
  followSignal,
  isAbortSignal,
  neverAborted,
  parseRequestHref,
} from './platform.ts';

const INCOMING = Symbol('incoming'); // lets the runtime construct without the checks of the public constructor
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NORMALIZED_METHOD = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN_METHOD = /^(?:connect|trace|track)$/i;
const REDIRECT = /^(?:follow|error|manual)$/;

export type RedirectMode = 'follow' | 'error' | 'manual';

/** What `fetch` sends; read past every method a tenant may have replaced. */
export interface RequestParts {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers | null;
  readonly body: Body | null;
  readonly signal: AbortSignal | null;
  readonly redirect: RedirectMode;
}

let newIncoming: (head: string, body: ArrayBuffer | undefined, streamId: number, invocation: Invocation) => Request;
let isRequestObject: (value: unknown) => value is Request;
let readParts: (request: Request) => RequestParts;

export class Request {
  #head: string | undefined = undefined;
  #method: string | undefined = undefined;
  #url: string | undefined = undefined;
  #headers: Headers | undefined = undefined;
  #body: Body | null = null;
  #signal: AbortSignal | undefined = undefined;
  /** Of an incoming request: whose client may go away. */
  #invocation: Invocation | undefined = undefined;
  #redirect: RedirectMode = 'follow';
  #cf: unknown = undefined;

  constructor(input: unknown, init?: unknown) {
    if (input === INCOMING) return;
    if (arguments.length < 1)
      throw new TypeError("Failed to construct 'Request': 1 argument required, but only 0 present");
    const options = toInit(init);
    const source = isRequestObject(input) ? input : undefined;
    if (source === undefined) {
      this.#url = toRequestUrl(input);
      this.#method = 'GET';
    } else {
      this.#url = source.#readUrl();
      this.#method = source.#readMethod();
      this.#redirect = source.#redirect;
      this.#cf = source.#cf;
    }
    if (options !== undefined) this.#readOptions(options);
    const signal = options?.signal;
    if (signal !== undefined && signal !== null) {
      if (!isAbortSignal(signal))
        throw new TypeError("Failed to construct 'Request': init.signal is not an AbortSignal");
      this.#signal = followSignal(signal);
    } else if (signal === undefined && source !== undefined && source.#hasSignal()) {
      this.#signal = followSignal(source.#readSignal());
    }
    const headers = options?.headers;
    if (headers !== undefined) this.#headers = new Headers(headers);
    else if (source !== undefined) this.#headers = new Headers(source.#readHeaders());
    this.#readBody(options?.body, source);
  }

  get method(): string {
    return this.#readMethod();
  }

  get url(): string {
    return this.#readUrl();
  }

  get headers(): Headers {
    return this.#readHeaders();
  }

  get signal(): AbortSignal {
    return this.#readSignal();
  }

  get redirect(): RedirectMode {
    return this.#redirect;
  }

  get cf(): unknown {
    return this.#cf;
  }

  get cache(): string {
    return 'default';
  }

  get credentials(): string {
    return 'same-origin';
  }

  get destination(): string {
    return '';
  }

  get duplex(): string {
    return 'half';
  }

  get integrity(): string {
    return '';
  }

  get keepalive(): boolean {
    return false;
  }

  get mode(): string {
    return 'cors';
  }

  get referrer(): string {
    return 'about:client';
  }

  get referrerPolicy(): string {
    return '';
  }

  clone(): Request {
    if (this.#body !== null && isBodyUnusable(this.#body)) {
      throw new TypeError("Failed to execute 'clone' on 'Request': the body has already been used");
    }
    const copy = new Request(INCOMING);
    copy.#head = this.#head;
    copy.#method = this.#method;
    copy.#url = this.#url;
    if (this.#headers !== undefined) copy.#headers = new Headers(this.#headers);
    copy.#invocation = this.#invocation;
    if (this.#signal !== undefined) copy.#signal = followSignal(this.#signal);
    copy.#redirect = this.#redirect;
    copy.#cf = this.#cf;
    if (this.#body !== null) copy.#body = cloneBody(this.#body);
    return copy;
  }

  #readMethod(): string {
    if (this.#method !== undefined) return this.#method;
    const head = this.#head!;
    this.#method = stringSlice(head, 0, stringIndexOf(head, '\n'));
    return this.#method;
  }

  #readUrl(): string {
    if (this.#url !== undefined) return this.#url;
    const head = this.#head!;
    const start = stringIndexOf(head, '\n') + 1;
    const end = stringIndexOf(head, '\n', start);
    this.#url = end === -1 ? stringSlice(head, start) : stringSlice(head, start, end);
    return this.#url;
  }

  #readHeaders(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    const head = this.#head;
    if (head === undefined) this.#headers = new Headers();
    else {
      const end = stringIndexOf(head, '\n', stringIndexOf(head, '\n') + 1);
      this.#headers = headersFromHead(head, end + 1);
    }
    return this.#headers;
  }

  #hasSignal(): boolean {
    return this.#signal !== undefined || this.#invocation !== undefined;
  }

  #readSignal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const invocation = this.#invocation;
    if (invocation === undefined) this.#signal = neverAborted();
    else {
      const aborter = createAborter();
      this.#signal = aborter.signal;
      if (invocation.aborted) aborter.abort();
      else invocation.onAbort = chain(invocation.onAbort, aborter.abort);
    }
    return this.#signal;
  }

  #readOptions(options: Record<string, unknown>): void {
    const { method, redirect, cf } = options;
    if (method !== undefined) this.#method = toMethod(method);
    if (redirect !== undefined) {
      if (typeof redirect !== 'string' || regExpExec(REDIRECT, redirect) === null) {
        throw new TypeError(`Failed to construct 'Request': redirect must be one of follow, error, manual`);
      }
      this.#redirect = redirect as RedirectMode;
    }
    if (cf !== undefined) this.#cf = cf;
  }

  #readBody(init: unknown, source: Request | undefined): void {
    const inherited = init === undefined || init === null ? (source === undefined ? null : source.#body) : null;
    if ((init !== undefined && init !== null) || inherited !== null) {
      if (this.#method === 'GET' || this.#method === 'HEAD') {
        throw new TypeError("Failed to construct 'Request': a request with method GET or HEAD cannot have a body");
      }
    }
    if (init !== undefined && init !== null) {
      const { body, type } = extractBody(init);
      this.#body = body;
      if (type !== null) {
        this.#headers ??= new Headers();
        if (getHeader(this.#headers, 'content-type') === null) addHeader(this.#headers, 'content-type', type);
      }
      return;
    }
    if (inherited === null) return;
    if (isBodyUnusable(inherited)) {
      throw new TypeError("Failed to construct 'Request': the body of the input request has already been used");
    }
    this.#body = moveBody(inherited);
  }

  static {
    newIncoming = (head, body, streamId, invocation) => {
      const request = new Request(INCOMING);
      request.#head = head;
      request.#invocation = invocation;
      if (body !== undefined) request.#body = new Body(new Uint8Array(body));
      else if (streamId > 0) request.#body = new Body(new InStream(streamId, invocation));
      return request;
    };
    isRequestObject = (value): value is Request => typeof value === 'object' && value !== null && #head in value;
    readParts = (request) => ({
      url: request.#readUrl(),
      method: request.#readMethod(),
      headers: request.#headers ?? (request.#head === undefined ? null : request.#readHeaders()),
      body: request.#body,
      signal: request.#hasSignal() ? request.#readSignal() : null,
      redirect: request.#redirect,
    });
    defineBodyMethods(Request.prototype, (self) => {
      const request = self as Request;
      return { body: request.#body, type: () => getHeader(request.#readHeaders(), 'content-type') };
    });
  }
}

defineInterface(Request, 'Request');
Object.defineProperty(Request, 'length', { value: 1, configurable: true });

export const incomingRequest = newIncoming;
export const isRequest = isRequestObject;
export const requestParts = readParts;

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
