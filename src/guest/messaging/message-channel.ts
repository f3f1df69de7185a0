/**
 * MessageChannel within one isolate. Messages are cloned when posted and delivered in a microtask, one at a time, as
 * Workers have it: no timer is spent, and it works while modules are evaluated.
 */
import {
  addTransferable,
  arrayPush,
  arraySplice,
  cloneWithTransfer,
  defineHandler,
  defineInterface,
  dispatchTrusted,
  Event,
  EventTarget,
  isArray,
  MessageEvent,
  promiseResolve,
  promiseThen,
  reportError,
  requireArguments,
  setHandler,
  type StructuredCloneOptions,
  symbolIterator,
  toTransferList,
} from '../core.ts';

type MessageHandler = ((this: MessagePort, event: Event) => unknown) | null;

interface Message {
  readonly data: unknown;
  readonly ports: readonly MessagePort[];
}

interface PortState {
  peer: MessagePort | undefined;
  queue: Message[];
  started: boolean;
  draining: boolean;
  /** It was closed, or has been transferred. */
  detached: boolean;
  /** The other side has closed: an event says so once the messages have been delivered. */
  peerClosed: boolean;
}

const KEY = Symbol('key'); // only a MessageChannel makes ports

let readState: (port: MessagePort) => PortState;
let isPort: (value: object) => value is MessagePort;

export class MessagePort extends EventTarget {
  declare onmessageerror: MessageHandler;
  declare onclose: MessageHandler;
  #onmessage: MessageHandler = null;
  readonly #state: PortState = {
    peer: undefined,
    queue: [],
    started: false,
    draining: false,
    detached: false,
    peerClosed: false,
  };

  static {
    readState = (port) => port.#state;
    isPort = (value): value is MessagePort => #state in value;
  }

  constructor(key?: symbol) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    super();
  }

  /** Sends a copy to the other port. Throws a DataCloneError DOMException for what cannot be copied. */
  postMessage(message: unknown, options?: object[] | StructuredCloneOptions | null): void {
    requireArguments(arguments.length, 1, "Failed to execute 'postMessage' on 'MessagePort'");
    const transfer = toTransfer(options);
    const { peer } = this.#state;
    const { copy, transferred } = cloneWithTransfer(message, transfer, this);
    // A port that is sent through its own channel takes the message with it into nowhere.
    if (peer === undefined || includes(transfer, peer)) return;
    const ports: MessagePort[] = [];
    for (let i = 0; i < transferred.length; i++) {
      const item = transferred[i]!;
      if (isPort(item)) arrayPush(ports, item);
    }
    arrayPush(readState(peer).queue, { data: copy, ports });
    drain(peer);
  }

  /** Begins delivery; setting `onmessage` does too. */
  start(): void {
    this.#state.started = true;
    drain(this);
  }

  /** Cuts the ports from each other. What was posted before is still delivered to the other one, which is then told. */
  close(): void {
    const state = this.#state;
    const { peer } = state;
    state.detached = true;
    state.peer = undefined;
    if (peer === undefined) return;
    const other = readState(peer);
    other.peer = undefined;
    other.peerClosed = true;
    drain(peer);
  }

  get onmessage(): MessageHandler {
    return this.#onmessage;
  }
  set onmessage(value: MessageHandler) {
    this.#onmessage = typeof value === 'function' ? value : null;
    setHandler(this, 'message', this.#onmessage);
    this.start();
  }
}
defineInterface(MessagePort, 'MessagePort', { constructor: 0, postMessage: 1 });
defineHandler(MessagePort.prototype, 'messageerror');
defineHandler(MessagePort.prototype, 'close');

export class MessageChannel {
  readonly #port1 = new MessagePort(KEY);
  readonly #port2 = new MessagePort(KEY);

  constructor() {
    readState(this.#port1).peer = this.#port2;
    readState(this.#port2).peer = this.#port1;
  }

  get port1(): MessagePort {
    return this.#port1;
  }

  get port2(): MessagePort {
    return this.#port2;
  }
}
defineInterface(MessageChannel, 'MessageChannel');

addTransferable({
  isOne: isPort,
  obstacle: (port) => (readState(port as MessagePort).detached ? 'A MessagePort is detached' : undefined),
  transfer: (port) => {
    const old = readState(port as MessagePort);
    const made = new MessagePort(KEY);
    const state = readState(made);
    state.queue = old.queue;
    state.peer = old.peer;
    state.peerClosed = old.peerClosed;
    old.detached = true;
    old.peer = undefined;
    old.queue = [];
    old.peerClosed = false;
    if (state.peer !== undefined) readState(state.peer).peer = made;
    return made;
  },
});

/** The second argument of `postMessage`: a list, or a dictionary with one. */
function toTransfer(options: object[] | StructuredCloneOptions | null | undefined): object[] {
  if (options === undefined || options === null) return [];
  if (typeof options !== 'object' && typeof options !== 'function') {
    throw new TypeError("Failed to execute 'postMessage' on 'MessagePort': the options are not an object");
  }
  if (isArray(options) || symbolIterator in options) return toTransferList(options as Iterable<object>);
  const { transfer } = options;
  return transfer === undefined ? [] : toTransferList(transfer);
}

function includes(list: readonly object[], item: object): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === item) return true;
  return false;
}

function drain(port: MessagePort): void {
  const state = readState(port);
  if (state.draining || !hasWork(state)) return;
  state.draining = true;
  void promiseThen(promiseResolve(undefined), () => {
    state.draining = false;
    if (!hasWork(state)) return;
    const [message] = arraySplice(state.queue, 0, 1);
    try {
      if (message !== undefined) dispatchTrusted(port, new MessageEvent('message', message));
      else {
        state.peerClosed = false;
        dispatchTrusted(port, new Event('close'));
      }
    } catch (error) {
      reportError(error);
    }
    drain(port);
  });
}

function hasWork({ started, queue, peerClosed }: PortState): boolean {
  return queue.length > 0 ? started : peerClosed;
}
