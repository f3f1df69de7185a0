/** `Response`. One made of a string reaches the host as that string, with its head as one text. */
import { InStream } from '../runtime/in-streams.ts';
import {
  jsonStringify,
  reflectApply,
  regExpExec,
  stringIndexOf,
  stringSlice,
  toLowerCase,
} from '../runtime/intrinsics.ts';
import { type Body, cloneBody, defineBodyMethods, extractBody, isBodyUnusable } from './body.ts';
import {
  addHeader,
  findHeader,
  getHeader,
  Headers,
  headersFromHead,
  headersFromList,
  headersToHead,
  headersToList,
  listToHead,
  makeImmutable,
} from './headers.ts';
import type { ByteStream } from '../streams/index.ts';
import { parseHref } from '../url/url.ts';
import { defineInterface, requireArguments, toDOMString } from '../webidl.ts';
import { isWebSocket } from './sockets.ts';

const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BLANK = Symbol('blank'); // lets the runtime construct without the checks of the public constructor
const CONTENT_TYPE = '\ncontent-type\n';
const TEXT_TYPE = '\ncontent-type\ntext/plain;charset=UTF-8';
const JSON_TYPE = '\ncontent-type\napplication/json';

export type ResponseType = 'default' | 'error' | 'basic' | 'cors' | 'opaque';

/** All there is to a response, in one record: the runtime reads it past every method a tenant may have replaced. */
export interface ResponseState extends Body {
  status: number;
  statusText: string;
  /** Names and values, as in `Headers`, while no headers object exists. */
  list: string[] | undefined;
  headers: Headers | undefined;
  /** The tail of a head with the `content-type` that the body implies, while there are no other headers. */
  implied: string;
  url: string;
  redirected: boolean;
  type: ResponseType;
  /** Of an answer 101, and of no other. */
  webSocket: object | undefined;
  /** What a Worker has put there. */
  cf: unknown;
}

const { delete: deleteHeader } = Headers.prototype;

let newWithBody: (state: ResponseState, body: ByteStream) => Response;
let newFetched: (head: string, body: ArrayBuffer | InStream | undefined, type: ResponseType) => Response;
let findState: (value: unknown) => ResponseState | undefined;

export class Response {
  #state: ResponseState = {
    source: null,
    used: false,
    shared: false,
    status: 200,
    statusText: '',
    list: undefined,
    headers: undefined,
    implied: '',
    url: '',
    redirected: false,
    type: 'default',
    webSocket: undefined,
    cf: undefined,
  };

  constructor(body?: unknown, init?: unknown) {
    if (body === BLANK) return;
    const state = this.#state;
    if (init !== undefined && init !== null) readInit(state, init);
    if (body === null || body === undefined) return;
    if (state.status !== 200 && isNullBodyStatus(state.status)) {
      throw new TypeError(`Failed to construct 'Response': a response with status ${state.status} cannot have a body`);
    }
    if (typeof body === 'string') {
      state.source = body;
      if (state.list === undefined) state.implied = TEXT_TYPE;
      else implyType(state, TEXT_TYPE);
      return;
    }
    const type = extractBody(state, body);
    if (type !== null) implyType(state, CONTENT_TYPE + type);
  }

  static error(): Response {
    const response = new Response(BLANK);
    const state = response.#state;
    state.status = 0;
    state.type = 'error';
    makeImmutable(headersOf(state));
    return response;
  }

  static json(data: unknown, init?: unknown): Response {
    const text = jsonStringify(data) as string | undefined;
    if (text === undefined)
      throw new TypeError("Failed to execute 'json' on 'Response': the data is not JSON serializable");
    const response = new Response(BLANK);
    const state = response.#state;
    if (init !== undefined && init !== null) readInit(state, init);
    if (state.status !== 200 && isNullBodyStatus(state.status)) {
      throw new TypeError(
        `Failed to execute 'json' on 'Response': a response with status ${state.status} cannot have a body`,
      );
    }
    state.source = text;
    implyType(state, JSON_TYPE);
    return response;
  }

  static redirect(url: unknown, status: unknown = 302): Response {
    requireArguments(arguments.length, 1, "Failed to execute 'redirect' on 'Response'");
    const href = parseHref(toDOMString(url));
    if (href === undefined) throw new TypeError("Failed to execute 'redirect' on 'Response': invalid URL");
    const code = toUnsignedShort(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`Failed to execute 'redirect' on 'Response': invalid status ${code}`);
    }
    const response = new Response(BLANK);
    response.#state.status = code;
    const headers = headersOf(response.#state);
    addHeader(headers, 'location', href);
    makeImmutable(headers);
    return response;
  }

  get type(): string {
    return this.#state.type;
  }

  get url(): string {
    return this.#state.url;
  }

  get redirected(): boolean {
    return this.#state.redirected;
  }

  get status(): number {
    return this.#state.status;
  }

  get ok(): boolean {
    const { status } = this.#state;
    return status >= 200 && status <= 299;
  }

  get statusText(): string {
    return this.#state.statusText;
  }

  get headers(): Headers {
    return headersOf(this.#state);
  }

  /** In Workers: the other end of the connection, of an answer 101. */
  get webSocket(): object | null {
    return this.#state.webSocket ?? null;
  }

  /** In Workers: whatever the init says. */
  get cf(): unknown {
    return this.#state.cf;
  }

  clone(): Response {
    const state = this.#state;
    if (state.webSocket !== undefined) {
      throw new TypeError("Failed to execute 'clone' on 'Response': there is only one WebSocket");
    }
    if (isBodyUnusable(state)) {
      throw new TypeError("Failed to execute 'clone' on 'Response': the body has already been used");
    }
    const response = new Response(BLANK);
    const copy = response.#state;
    copy.status = state.status;
    copy.statusText = state.statusText;
    copy.headers = new Headers(headersOf(state));
    copy.url = state.url;
    copy.redirected = state.redirected;
    copy.type = state.type;
    copy.cf = state.cf;
    cloneBody(state, copy);
    return response;
  }

  static {
    newFetched = (head, body, type) => {
      const response = new Response(BLANK);
      const state = response.#state;
      state.type = type;
      if (type === 'opaque') {
        state.status = 0;
        makeImmutable(headersOf(state));
        return response;
      }
      const afterStatus = stringIndexOf(head, '\n');
      const afterText = stringIndexOf(head, '\n', afterStatus + 1);
      const afterUrl = stringIndexOf(head, '\n', afterText + 1);
      const afterRedirected = stringIndexOf(head, '\n', afterUrl + 1);
      state.status = +stringSlice(head, 0, afterStatus);
      state.statusText = stringSlice(head, afterStatus + 1, afterText);
      state.url = stringSlice(head, afterText + 1, afterUrl);
      state.redirected = stringSlice(head, afterUrl + 1, afterUrl + 2) === '1';
      state.headers = headersFromHead(head, afterRedirected + 1);
      if (body !== undefined) state.source = body instanceof InStream ? body : new Uint8Array(body);
      return response;
    };
    newWithBody = (state, body) => {
      const response = new Response(BLANK);
      const made = response.#state;
      made.status = state.status;
      made.statusText = state.statusText;
      made.headers = new Headers(headersOf(state));
      reflectApply(deleteHeader, made.headers, ['content-length']);
      made.source = body;
      return response;
    };
    findState = (value) => (typeof value === 'object' && value !== null && #state in value ? value.#state : undefined);
    defineBodyMethods(
      Response.prototype,
      (self) => (self as Response).#state,
      (self) => getHeader(headersOf((self as Response).#state), 'content-type'),
    );
  }
}

defineInterface(Response, 'Response', { redirect: 1 });
Object.defineProperty(Response.json, 'length', { value: 1, configurable: true });
const { bytes, text } = Response.prototype as unknown as {
  bytes: () => Promise<Uint8Array>;
  text: () => Promise<string>;
};
Object.defineProperty(Response, 'length', { value: 0, configurable: true });
for (const name of ['error', 'json', 'redirect']) Object.defineProperty(Response, name, { enumerable: true });

export const fetchedResponse = newFetched;
/** A response with the head of another, but for its length, and a new body. */
export const responseWithBody = newWithBody;
/** The record of a response; undefined for any other value. */
export const responseState = findState;

/** The same as bytes. */
export function responseBytes(response: Response): Promise<Uint8Array> {
  return reflectApply(bytes, response, []);
}

/** Its `content-type`, in lower case, without blanks around it. */
export function responseType(response: Response): string {
  const type = getHeader(headersOf(findState(response)!), 'content-type');
  return type === null ? '' : toLowerCase(type);
}

/** Reads a response as text, past the public method. */
export function responseText(response: Response): Promise<string> {
  return reflectApply(text, response, []);
}

/** The head that the host is told: `statusText\nname\nvalue…`. */
export function responseHead({ statusText, headers, list, implied }: ResponseState): string {
  if (headers !== undefined) return statusText + headersToHead(headers);
  return list === undefined ? statusText + implied : statusText + listToHead(list);
}

function headersOf(state: ResponseState): Headers {
  if (state.headers !== undefined) return state.headers;
  const { list, implied } = state;
  state.headers = headersFromList(
    list ?? (implied === '' ? [] : ['content-type', stringSlice(implied, CONTENT_TYPE.length)]),
  );
  state.list = undefined;
  return state.headers;
}

/** `implied` is the tail of a head. Only called while there is no headers object. */
function implyType(state: ResponseState, implied: string): void {
  const { list } = state;
  if (list === undefined) state.implied = implied;
  else if (findHeader(list, 'content-type') === null) {
    list[list.length] = 'content-type';
    list[list.length] = stringSlice(implied, CONTENT_TYPE.length);
  }
}

function readInit(state: ResponseState, init: unknown): void {
  if (typeof init !== 'object' && typeof init !== 'function') {
    throw new TypeError("Failed to construct 'Response': the init is not an object");
  }
  const { cf, headers, status, statusText, webSocket } = init as Record<string, unknown>;
  state.cf = cf;
  if (webSocket !== undefined && webSocket !== null) readWebSocket(state, webSocket);
  if (status !== undefined) {
    const code = toUnsignedShort(status);
    if ((code < 200 || code > 599) && code !== 101) {
      throw new RangeError(`Failed to construct 'Response': the status ${code} is outside the range [200, 599]`);
    }
    state.status = code;
  }
  if ((state.status === 101) !== (state.webSocket !== undefined)) {
    throw new RangeError("Failed to construct 'Response': a status of 101 and a webSocket go together");
  }
  if (statusText !== undefined) {
    const text = toDOMString(statusText);
    if (regExpExec(REASON_PHRASE, text) === null) {
      throw new TypeError("Failed to construct 'Response': invalid statusText");
    }
    state.statusText = text;
  }
  if (headers !== undefined) state.list = headersToList(headers);
}

function readWebSocket(state: ResponseState, webSocket: unknown): void {
  if (!isWebSocket(webSocket)) throw new TypeError("Failed to construct 'Response': the webSocket is not one");
  state.webSocket = webSocket;
}

function isNullBodyStatus(status: number): boolean {
  return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

/** WebIDL `unsigned short`: modulo 2^16, as browsers do before they check the range. */
function toUnsignedShort(value: unknown): number {
  return (Number(value) >>> 0) & 0xffff;
}
