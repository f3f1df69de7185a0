/**
 * MessageChannel within one isolate. Messages are cloned when posted and delivered in a microtask, one at a time, as
 * Workers have it: no timer is spent, and it works while modules are evaluated. Ports cannot be transferred.
 */
import {
  defineHandler,
  dispatchTrusted,
  type Event,
  EventTarget,
  MessageEvent,
  reportError,
  setHandler,
} from './events/index.ts';
import { arrayPush, arraySplice, promiseThen } from './primordials.ts';
import { structuredClone, type StructuredCloneOptions } from './structured-clone.ts';
import { defineInterface, requireArguments } from './webidl.ts';

type MessageHandler = ((this: MessagePort, event: Event) => unknown) | null;

interface PortState {
  peer: MessagePort | undefined;
  readonly queue: unknown[];
  started: boolean;
  draining: boolean;
}

const KEY = Symbol('key'); // only a MessageChannel makes ports
const RESOLVED = Promise.resolve();

let readState: (port: MessagePort) => PortState;

export class MessagePort extends EventTarget {
  declare onmessageerror: MessageHandler;
  #onmessage: MessageHandler = null;
  readonly #state: PortState = { peer: undefined, queue: [], started: false, draining: false };

  static {
    readState = (port) => port.#state;
  }

  constructor(key?: symbol) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    super();
  }

  /** Sends a copy to the other port. Throws a DataCloneError DOMException for what cannot be copied. */
  postMessage(message: unknown, options?: object[] | StructuredCloneOptions | null): void {
    requireArguments(arguments.length, 1, "Failed to execute 'postMessage' on 'MessagePort'");
    const transfer = Array.isArray(options) ? options : options?.transfer;
    const copy = structuredClone(message, transfer === undefined ? undefined : { transfer });
    const { peer } = this.#state;
    if (peer === undefined) return;
    arrayPush(readState(peer).queue, copy);
    drain(peer);
  }

  /** Begins delivery; setting `onmessage` does too. */
  start(): void {
    this.#state.started = true;
    drain(this);
  }

  /** Cuts the ports from each other. What was posted before is still delivered. */
  close(): void {
    const { peer } = this.#state;
    this.#state.peer = undefined;
    if (peer !== undefined) readState(peer).peer = undefined;
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

function drain(port: MessagePort): void {
  const state = readState(port);
  if (!state.started || state.draining || state.queue.length === 0) return;
  state.draining = true;
  void promiseThen(RESOLVED, () => {
    state.draining = false;
    const [data] = arraySplice(state.queue, 0, 1);
    try {
      dispatchTrusted(port, new MessageEvent('message', { data }));
    } catch (error) {
      reportError(error);
    }
    drain(port);
  });
}
