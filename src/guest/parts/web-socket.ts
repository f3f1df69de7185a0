/**
 * `WebSocket` by the WebSockets Standard, and what Workers have besides: `WebSocketPair`, `accept()`, and the WebSocket of a
 * response. Both ends of a pair live here; giving one to a client ties the other to the host.
 */
import {
  defineConstants,
  defineHandler,
  defineInterface,
  EventTarget,
  isBlob,
  requireArguments,
  responseState,
  setWebSockets,
  toDOMString,
  toUSVString,
  utf8Encode,
  viewBytes,
  blobBytes,
  DOMException,
} from '../core.ts';
import { connect } from './web-socket/connect.ts';
import { findLink, giveEnd, Link } from './web-socket/link.ts';
import { type BinaryType, CLOSED, CLOSING, CONNECTING, OPEN, SocketEnd } from './web-socket/socket-end.ts';

/** With this and an end as its arguments, the runtime makes a WebSocket past the public constructor. */
const OWN = Symbol('own');
const MAX_REASON_BYTES = 123; // RFC 6455 §5.5: 125 of a control frame, less the code

let findEnd: (value: unknown) => SocketEnd | undefined;

export class WebSocket extends EventTarget {
  readonly #end: SocketEnd;

  constructor(url: unknown, protocols: unknown = []) {
    super();
    if (url === OWN) {
      this.#end = protocols as SocketEnd;
      this.#end.target = this;
      return;
    }
    requireArguments(arguments.length, 1, "Failed to construct 'WebSocket'");
    this.#end = new SocketEnd(true);
    this.#end.target = this;
    connect(this.#end, toUSVString(url), {
      protocols: toProtocols(protocols),
      linkOf: (response) => findEnd(responseState(response)!.webSocket)?.link,
    });
  }

  get url(): string | null {
    return this.#end.url;
  }

  get readyState(): number {
    return this.#end.state;
  }

  get bufferedAmount(): number {
    return this.#end.bufferedAmount;
  }

  get extensions(): string {
    void this.#end; // not of anything else
    return '';
  }

  get protocol(): string {
    return this.#end.protocol;
  }

  get binaryType(): BinaryType {
    return this.#end.binaryType;
  }

  set binaryType(value: unknown) {
    const end = this.#end;
    const type = toDOMString(value);
    if (type === 'blob' || type === 'arraybuffer') end.binaryType = type;
  }

  /** In Workers: messages of this end go to its listeners from here on. */
  accept(): void {
    this.#end.accept();
  }

  send(data: unknown): void {
    const end = this.#end;
    requireArguments(arguments.length, 1, "Failed to execute 'send' on 'WebSocket'");
    if (end.isStandard && end.state === CONNECTING) {
      throw new DOMException("Failed to execute 'send' on 'WebSocket': still connecting", 'InvalidStateError');
    }
    end.send(viewBytes(data) ?? (isBlob(data) ? blobBytes(data) : toUSVString(data)));
  }

  close(code?: unknown, reason?: unknown): void {
    const end = this.#end;
    const number = code === undefined ? undefined : toClampedShort(code);
    const text = reason === undefined ? '' : toUSVString(reason);
    if (number !== undefined && !mayClose(number, end.isStandard)) {
      throw new DOMException(
        `Failed to execute 'close' on 'WebSocket': the code must be 1000 or from 3000 to 4999, not ${number}`,
        'InvalidAccessError',
      );
    }
    if (utf8Encode(text).byteLength > MAX_REASON_BYTES) {
      throw new DOMException(
        `Failed to execute 'close' on 'WebSocket': the reason must not be longer than ${MAX_REASON_BYTES} bytes`,
        'SyntaxError',
      );
    }
    end.close(number, text);
  }

  static {
    findEnd = (value) => (typeof value === 'object' && value !== null && #end in value ? value.#end : undefined);
  }
}

defineInterface(WebSocket, 'WebSocket', { constructor: 1, close: 0 });
defineConstants(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED });
defineHandler(WebSocket.prototype, 'open');
defineHandler(WebSocket.prototype, 'error');
defineHandler(WebSocket.prototype, 'close');
defineHandler(WebSocket.prototype, 'message');

/** Two ends, as the properties `0` and `1`. */
export class WebSocketPair {
  readonly 0: WebSocket;
  readonly 1: WebSocket;

  constructor() {
    const [first, second] = SocketEnd.pair();
    this[0] = new WebSocket(OWN, first);
    this[1] = new WebSocket(OWN, second);
  }
}

defineInterface(WebSocketPair, 'WebSocketPair');

setWebSockets({
  isWebSocket: (value) => findEnd(value) !== undefined,
  give: (webSocket, invocation, head) => giveEnd(findEnd(webSocket)!, invocation, head),
  adopt(id, invocation, protocol) {
    const end = new SocketEnd(false);
    end.protocol = protocol;
    end.link = new Link(id, end, { invocation, protocol });
    return new WebSocket(OWN, end);
  },
  find: findLink,
});

/** The standard's codes are for programs; Workers also give those that a server has. */
function mayClose(code: number, isStandard: boolean): boolean {
  if (code === 1000 || (code >= 3000 && code <= 4999)) return true;
  return !isStandard && code > 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** Web IDL `[Clamp] unsigned short`. */
function toClampedShort(value: unknown): number {
  const number = Number(value);
  if (!(number > 0)) return 0;
  if (number >= 0xffff) return 0xffff;
  const floor = number - (number % 1);
  const fraction = number - floor;
  const up = fraction > 0.5 || (fraction === 0.5 && floor % 2 === 1);
  return up ? floor + 1 : floor;
}

/** Web IDL `(DOMString or sequence<DOMString>)`. */
function toProtocols(value: unknown): string[] {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return [toDOMString(value)];
  const protocols: string[] = [];
  for (const item of value as Iterable<unknown>) protocols[protocols.length] = toDOMString(item);
  return protocols;
}
