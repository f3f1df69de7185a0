/** `EventSource` (HTML Standard §9.2): fetches, one after the other, for as long as the event that made it is under way. */
import {
  addHeader,
  clearTimer,
  createSignal,
  defineConstants,
  defineHandler,
  defineInterface,
  dispatchTrusted,
  DOMException,
  Event,
  EventTarget,
  getHeader,
  Headers,
  InStream,
  MessageEvent,
  NETWORK,
  parseHref,
  promiseThen,
  reflectApply,
  regExpExec,
  requireArguments,
  requireInvocation,
  type Response,
  responseState,
  signalAbort,
  startFetch,
  startTimer,
  stringFromCharCode,
  stringIndexOf,
  stringSlice,
  TextDecoder,
  toUSVString,
  utf8Encode,
} from '../core.ts';
import { EventParser } from './event-source/parser.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

const RECONNECTION_MS = 3_000; // until the server says otherwise
const MAX_EVENT_CHARS = 16 * 1024 * 1024;
const EVENT_STREAM = /^[\t ]*text\/event-stream[\t ]*(?:;|$)/i;
const { decode } = TextDecoder.prototype;

export class EventSource extends EventTarget {
  readonly #url: string;
  readonly #withCredentials: boolean;
  #state = CONNECTING;
  #lastEventId = '';
  #reconnectionMs = RECONNECTION_MS;
  /** Gives up the fetch, or the wait for it. */
  #stop: (() => void) | undefined = undefined;

  constructor(url: unknown, init?: { withCredentials?: unknown }) {
    requireArguments(arguments.length, 1, "Failed to construct 'EventSource'");
    super();
    const text = toUSVString(url);
    this.#withCredentials = !!init?.withCredentials;
    const href = parseHref(text);
    if (href === undefined) {
      throw new DOMException(`Failed to construct 'EventSource': the URL '${text}' is invalid`, 'SyntaxError');
    }
    this.#url = href;
    requireInvocation();
    this.#connect();
  }

  get url(): string {
    return this.#url;
  }

  get withCredentials(): boolean {
    return this.#withCredentials;
  }

  get readyState(): number {
    return this.#state;
  }

  close(): void {
    this.#state = CLOSED;
    this.#stop?.();
    this.#stop = undefined;
  }

  #connect(): void {
    const headers = new Headers();
    addHeader(headers, 'accept', 'text/event-stream');
    addHeader(headers, 'cache-control', 'no-cache');
    if (this.#lastEventId !== '') addHeader(headers, 'last-event-id', toByteString(this.#lastEventId));
    const signal = createSignal();
    this.#stop = () => signalAbort(signal);
    void promiseThen(
      startFetch(this.#url, { __proto__: null, headers, signal }, NETWORK),
      (response) => this.#onResponse(response),
      () => this.#reconnect(),
    );
  }

  #onResponse(response: Response): void {
    if (this.#state === CLOSED) return;
    const { status, headers, source, url } = responseState(response)!;
    const type = headers === undefined ? null : getHeader(headers, 'content-type');
    if (status !== 200 || type === null || regExpExec(EVENT_STREAM, type) === null) {
      if (source instanceof InStream) source.stop();
      this.#fail();
      return;
    }
    this.#state = OPEN;
    this.#dispatch(new Event('open'));
    this.#read(source, originOf(url));
  }

  #read(source: unknown, origin: string): void {
    // What an id applies to is the events after it; what a broken connection goes on from is the last event that ended.
    let id = this.#lastEventId;
    const parser = new EventParser(
      {
        onEvent: (name, data) => {
          this.#lastEventId = id;
          this.#dispatch(new MessageEvent(name, { data, origin, lastEventId: id }));
          if (this.#state === CLOSED) parser.stop();
        },
        onId: (value) => {
          id = value;
        },
        onRetry: (ms) => {
          this.#reconnectionMs = ms;
        },
        onTooLong: () => {
          this.#stop?.();
          this.#fail();
        },
      },
      MAX_EVENT_CHARS,
    );
    const decoder = new TextDecoder();
    const push = (bytes: ArrayBuffer | Uint8Array): void => {
      if (this.#state !== CLOSED)
        parser.push(reflectApply(decode, decoder, [bytes, { __proto__: null, stream: true }]) as string);
    };
    if (!(source instanceof InStream)) {
      if (source instanceof Uint8Array) push(source);
      this.#reconnect();
      return;
    }
    this.#stop = () => source.stop();
    const next = (): void =>
      source.pull(false, (bytes, end, failure) => {
        if (this.#state === CLOSED) return;
        if (bytes !== undefined) push(bytes);
        if (end || failure !== undefined) this.#reconnect();
        else next();
      });
    next();
  }

  #reconnect(): void {
    if (this.#state === CLOSED) return;
    this.#state = CONNECTING;
    this.#stop = undefined;
    this.#dispatch(new Event('error'));
    // A listener may have closed it.
    if (this.#state === CLOSED) return;
    const timer = startTimer(() => this.#connect(), this.#reconnectionMs);
    this.#stop = () => clearTimer(timer);
  }

  #fail(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#stop = undefined;
    this.#dispatch(new Event('error'));
  }

  #dispatch(event: Event): void {
    dispatchTrusted(this, event);
  }
}

defineInterface(EventSource, 'EventSource', { constructor: 1 });
defineConstants(EventSource, { CONNECTING, OPEN, CLOSED });
defineHandler(EventSource.prototype, 'open');
defineHandler(EventSource.prototype, 'message');
defineHandler(EventSource.prototype, 'error');

/** UTF-8, a character for each byte, as headers are. */
function toByteString(text: string): string {
  const bytes = utf8Encode(text);
  let result = '';
  for (let i = 0; i < bytes.length; i++) result += stringFromCharCode(bytes[i]!);
  return result;
}

function originOf(url: string): string {
  const host = stringIndexOf(url, '//') + 2;
  const end = stringIndexOf(url, '/', host);
  return end < 0 ? url : stringSlice(url, 0, end);
}
