/** `Response`. One made of a string reaches the host as that string, with its head as one text. */
import { InStream } from '../runtime/in-streams.ts';
import { jsonStringify, regExpExec, stringIndexOf, stringSlice } from '../runtime/intrinsics.ts';
import { Body, cloneBody, defineBodyMethods, extractBody, isBodyUnusable } from './body.ts';
import { addHeader, getHeader, Headers, headersFromHead, headersToHead, makeImmutable } from './headers.ts';
import { defineInterface, toDOMString } from '../webidl.ts';
import { parseHref } from './platform.ts';

const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;
const BLANK = Symbol('blank'); // lets the runtime construct without the checks of the public constructor

/** What the host is told of a response. `body` is the handler's, still unread. */
export interface ResponseParts {
  readonly status: number;
  readonly head: string;
  readonly body: Body | null;
}

let newFetched: (head: string, body: ArrayBuffer | InStream | undefined) => Response;
let isResponseObject: (value: unknown) => value is Response;
let readParts: (response: Response) => ResponseParts;

export class Response {
  #status = 200;
  #statusText = '';
  #headers: Headers | undefined = undefined;
  /** The `content-type` that the body implies, while no headers object exists. */
  #type: string | null = null;
  #body: Body | null = null;
  #url = '';
  #redirected = false;
  #kind: 'default' | 'error' = 'default';

  constructor(body?: unknown, init?: unknown) {
    if (body === BLANK) return;
    if (init !== undefined && init !== null) this.#readInit(init);
    if (body === null || body === undefined) return;
    if (isNullBodyStatus(this.#status)) {
      throw new TypeError(`Failed to construct 'Response': a response with status ${this.#status} cannot have a body`);
    }
    const extracted = extractBody(body);
    this.#body = extracted.body;
    this.#setType(extracted.type);
  }

  static error(): Response {
    const response = new Response(BLANK);
    response.#status = 0;
    response.#kind = 'error';
    makeImmutable(response.#readHeaders());
    return response;
  }

  static json(data: unknown, init?: unknown): Response {
    const text = jsonStringify(data) as string | undefined;
    if (text === undefined)
      throw new TypeError("Failed to execute 'json' on 'Response': the data is not JSON serializable");
    const response = new Response(BLANK);
    if (init !== undefined && init !== null) response.#readInit(init);
    if (isNullBodyStatus(response.#status)) {
      throw new TypeError(
        `Failed to execute 'json' on 'Response': a response with status ${response.#status} cannot have a body`,
      );
    }
    response.#body = new Body(text);
    response.#setType('application/json');
    return response;
  }

  static redirect(url: unknown, status: unknown = 302): Response {
    const href = parseHref(toDOMString(url));
    if (href === undefined) throw new TypeError("Failed to execute 'redirect' on 'Response': invalid URL");
    const code = toUnsignedShort(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`Failed to execute 'redirect' on 'Response': invalid status ${code}`);
    }
    const response = new Response(BLANK);
    response.#status = code;
    addHeader(response.#readHeaders(), 'location', href);
    makeImmutable(response.#readHeaders());
    return response;
  }

  get type(): string {
    return this.#kind;
  }

  get url(): string {
    return this.#url;
  }

  get redirected(): boolean {
    return this.#redirected;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    return this.#readHeaders();
  }

  clone(): Response {
    if (this.#body !== null && isBodyUnusable(this.#body)) {
      throw new TypeError("Failed to execute 'clone' on 'Response': the body has already been used");
    }
    const copy = new Response(BLANK);
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = new Headers(this.#readHeaders());
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#kind = this.#kind;
    if (this.#body !== null) copy.#body = cloneBody(this.#body);
    return copy;
  }

  #readHeaders(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    this.#headers = new Headers();
    if (this.#type !== null) addHeader(this.#headers, 'content-type', this.#type);
    return this.#headers;
  }

  #setType(type: string | null): void {
    if (type === null) return;
    if (this.#headers === undefined) this.#type = type;
    else if (getHeader(this.#headers, 'content-type') === null) addHeader(this.#headers, 'content-type', type);
  }

  #readInit(init: unknown): void {
    if (typeof init !== 'object' && typeof init !== 'function') {
      throw new TypeError("Failed to construct 'Response': the init is not an object");
    }
    const { headers, status, statusText } = init as Record<string, unknown>;
    if (status !== undefined) {
      const code = toUnsignedShort(status);
      if (code < 200 || code > 599) {
        throw new RangeError(`Failed to construct 'Response': the status ${code} is outside the range [200, 599]`);
      }
      this.#status = code;
    }
    if (statusText !== undefined) {
      const text = toDOMString(statusText);
      if (regExpExec(REASON_PHRASE, text) === null) {
        throw new TypeError("Failed to construct 'Response': invalid statusText");
      }
      this.#statusText = text;
    }
    if (headers !== undefined) this.#headers = new Headers(headers);
  }

  static {
    newFetched = (head, body) => {
      const response = new Response(BLANK);
      const afterStatus = stringIndexOf(head, '\n');
      const afterText = stringIndexOf(head, '\n', afterStatus + 1);
      const afterUrl = stringIndexOf(head, '\n', afterText + 1);
      const afterRedirected = stringIndexOf(head, '\n', afterUrl + 1);
      response.#status = +stringSlice(head, 0, afterStatus);
      response.#statusText = stringSlice(head, afterStatus + 1, afterText);
      response.#url = stringSlice(head, afterText + 1, afterUrl);
      response.#redirected = stringSlice(head, afterUrl + 1, afterUrl + 2) === '1';
      response.#headers = headersFromHead(head, afterRedirected + 1);
      if (body !== undefined) response.#body = new Body(body instanceof InStream ? body : new Uint8Array(body));
      return response;
    };
    isResponseObject = (value): value is Response => typeof value === 'object' && value !== null && #type in value;
    readParts = (response) => ({
      status: response.#status,
      head:
        response.#headers !== undefined
          ? response.#statusText + headersToHead(response.#headers)
          : response.#type === null
            ? response.#statusText
            : `${response.#statusText}\ncontent-type\n${response.#type}`,
      body: response.#body,
    });
    defineBodyMethods(Response.prototype, (self) => {
      const response = self as Response;
      return { body: response.#body, type: () => getHeader(response.#readHeaders(), 'content-type') };
    });
  }
}

defineInterface(Response, 'Response');
Object.defineProperty(Response, 'length', { value: 0, configurable: true });
for (const name of ['error', 'json', 'redirect']) Object.defineProperty(Response, name, { enumerable: true });

export const fetchedResponse = newFetched;
export const isResponse = isResponseObject;
export const responseParts = readParts;

function isNullBodyStatus(status: number): boolean {
  return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

/** WebIDL `unsigned short`: modulo 2^16, as browsers do before they check the range. */
function toUnsignedShort(value: unknown): number {
  return (Number(value) >>> 0) & 0xffff;
}
