/** One fetch of a guest: to the network through the host, or to another Worker of the account through a binding. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import { ENTER } from '../guest/abi.ts';
import { MAX_OPEN_CONNECTIONS, MAX_WEB_SOCKETS } from '../limits.ts';
import type { HostCallKind } from './host-call-times.ts';
import type { InStream } from './in-stream.ts';
import type { Instance } from './instance.ts';
import type { Invocation } from './invocation.ts';
import type { CallTrace } from './invocation-trace.ts';
import type { OutStream } from './out-stream.ts';
import { WebSocketEnd } from './web-socket.ts';

const INLINE_BODY_BYTES = 64 * 1024; // a longer body waits for credit like a stream

export type SubrequestBody = string | Uint8Array | OutStream | undefined;

/** Opens the exchange: with head, first bytes, whether that is all, and who listens. */
export type OpenExchange = (body: Uint8Array | undefined, fin: boolean, events: ExchangeEvents) => Exchange;

export class Subrequest implements ExchangeEvents {
  readonly id: number;
  readonly invocation: Invocation;
  /** When its invocation is traced. */
  readonly trace: CallTrace | undefined;
  readonly #instance: Instance;
  readonly #toHead: (status: number, head: string) => string;
  /** Its head asks for a WebSocket: the exchange stays open for messages. */
  readonly #isUpgrade: boolean;
  readonly #kind: HostCallKind;
  #openedAtMs = 0;
  #socket: WebSocketEnd | undefined;
  #exchange: Exchange | undefined;
  #upload: OutStream | undefined;
  #download: InStream | undefined;
  #state: 'queued' | 'open' | 'answered' | 'over' = 'queued';

  /** `toHead` makes the ABI's head (`status\nstatusText\nurl\nredirected\n…`) of the exchange's. */
  constructor(
    id: number,
    instance: Instance,
    invocation: Invocation,
    options: { kind: HostCallKind; toHead: (status: number, head: string) => string; isUpgrade: boolean },
  ) {
    this.id = id;
    this.#instance = instance;
    this.invocation = invocation;
    this.#toHead = options.toHead;
    this.#isUpgrade = options.isUpgrade;
    this.#kind = options.kind;
    this.trace = invocation.trace?.beginCall(options.kind);
    invocation.outstanding++;
  }

  /** Opens it now, or when fewer than MAX_OPEN_CONNECTIONS of its invocation wait for a response. */
  start(open: OpenExchange, body: SubrequestBody): void {
    if (body !== undefined && typeof body === 'object' && 'onFailed' in body) {
      body.onFailed = () => this.fail('The request body failed.');
    }
    const begin = () => {
      if (this.#state !== 'queued') return this.#startNext();
      this.#state = 'open';
      this.#openedAtMs = performance.now();
      this.invocation.openConnections++;
      try {
        this.#open(open, body);
      } catch (error) {
        // The head is longer than a frame takes.
        this.fail(error instanceof Error ? error.message : 'The request could not be sent.');
      }
    };
    if (this.invocation.openConnections < MAX_OPEN_CONNECTIONS) begin();
    else this.invocation.waiting.push(begin);
  }

  onResponse(status: number, head: string, body: Buffer, fin: boolean): void {
    if (this.#state !== 'open') return;
    this.#instance.owner.hostCalls.note(this.#kind, performance.now() - this.#openedAtMs);
    this.trace?.end(status);
    if (status === 101) return this.#switch(head, body);
    this.#settle('answered');
    const text = this.#toHead(status, head);
    if (fin) {
      this.#finish();
      if (this.#isUpgrade) this.#exchange?.reset(RESET_CODES.none, 'not wanted any more');
      this.#instance.enter(this.invocation, ENTER.deliver, this.id, 1, text, body.byteLength > 0 ? body : 0);
      return;
    }
    if (this.#exchange === undefined) return;
    this.#download = this.#instance.createInStream(this.invocation, this.#exchange, true);
    this.#download.onAbandoned = () => this.#finish();
    this.#instance.enter(this.invocation, ENTER.deliver, this.id, 1, text, this.#download.id);
    this.#download.push(body);
  }

  onData(chunk: Buffer): void {
    if (this.#socket !== undefined) return this.#socket.onData(chunk);
    this.#download?.push(chunk);
  }

  onEnd(): void {
    if (this.#socket !== undefined) return this.#socket.onEnd();
    this.#download?.end();
    this.#finish();
    if (this.#isUpgrade) this.#exchange?.reset(RESET_CODES.none, 'not wanted any more');
  }

  onDrain(): void {
    if (this.#socket !== undefined) return this.#socket.onDrain();
    this.#upload?.drained();
  }

  onReset(code: number, reason: string): void {
    if (this.#socket !== undefined) return this.#socket.onReset(code, reason);
    const message = reason === '' || code === RESET_CODES.channelClosed ? 'Network connection lost.' : reason;
    if (this.#state === 'open') this.fail(message);
    else this.#download?.fail(message);
    this.#finish();
  }

  /** Tells the guest that it failed. */
  fail(message: string): void {
    if (this.#state === 'over') return;
    this.#settle('over');
    this.#finish();
    this.#instance.enter(this.invocation, ENTER.deliver, this.id, 0, message);
  }

  /** The guest, or the end of its invocation, gives it up. Nothing is delivered any more. */
  cancel(): void {
    this.#settle('over');
    this.#exchange?.reset(RESET_CODES.canceled, 'canceled');
    this.#finish();
  }

  /** The answer is a WebSocket, which goes by the id of this call. */
  #switch(head: string, body: Buffer): void {
    const exchange = this.#exchange;
    const { sockets } = this.#instance;
    if (exchange === undefined || !this.#isUpgrade || sockets.size >= MAX_WEB_SOCKETS) {
      exchange?.reset(RESET_CODES.internal, 'WebSocket refused');
      this.fail(
        this.#isUpgrade
          ? `Too many WebSockets: a Worker may have ${MAX_WEB_SOCKETS} open at once.`
          : 'The answer is a WebSocket, and the request did not ask for one.',
      );
      return;
    }
    this.#settle('answered');
    this.#finish();
    this.#socket = new WebSocketEnd(this.id, this.#instance, { invocation: this.invocation, exchange });
    this.#instance.enter(this.invocation, ENTER.deliver, this.id, 1, this.#toHead(101, head), 0);
    if (body.byteLength > 0) this.#socket.onData(body);
  }

  #open(open: OpenExchange, body: SubrequestBody): void {
    if (this.#isUpgrade) {
      this.#exchange = open(undefined, false, this);
      return;
    }
    const bytes = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
    if (bytes === undefined || (bytes instanceof Uint8Array && bytes.byteLength <= INLINE_BODY_BYTES)) {
      this.#exchange = open(bytes, true, this);
      return;
    }
    const exchange = (this.#exchange = open(undefined, false, this));
    if (bytes instanceof Uint8Array) {
      exchange.write(bytes);
      exchange.end();
    } else {
      this.#upload = bytes;
      bytes.connect(exchange);
    }
  }

  #settle(state: 'answered' | 'over'): void {
    if (this.#state === 'open') {
      this.invocation.openConnections--;
      this.#startNext();
    }
    if (this.#state === 'open' || this.#state === 'queued') {
      this.invocation.outstanding--;
      this.trace?.end(undefined);
    }
    this.#state = state;
  }

  #startNext(): void {
    this.invocation.waiting.shift()?.();
  }

  #finish(): void {
    this.#instance.forgetCall(this.id);
    // Answered before the upload has ended: nobody takes the rest.
    if (this.#upload !== undefined && this.#instance.outStreams.has(this.#upload.id)) this.#upload.refuse();
    this.#upload = undefined;
  }
}
