/** The events that carry something. */
import {
  defineInterface,
  Event,
  type EventInit,
  objectFreeze,
  requireArguments,
  toDOMString,
  toEventInit as toInit,
  toUSVString,
} from '../shared.ts';

export class CustomEvent extends Event {
  #detail: unknown;

  constructor(type: string, init?: EventInit & { detail?: unknown }) {
    requireArguments(arguments.length, 1, "Failed to construct 'CustomEvent'");
    super(type, init);
    const detail = toInit(init)?.detail;
    this.#detail = detail === undefined ? null : detail;
  }

  get detail(): unknown {
    return this.#detail;
  }

  initCustomEvent(type: string, bubbles = false, cancelable = false, detail: unknown = null): void {
    requireArguments(arguments.length, 1, "Failed to execute 'initCustomEvent' on 'CustomEvent'");
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}
defineInterface(CustomEvent, 'CustomEvent', { constructor: 1 });

export interface ErrorEventInit extends EventInit {
  message?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  error?: unknown;
}

export class ErrorEvent extends Event {
  readonly #message: string;
  readonly #filename: string;
  readonly #lineno: number;
  readonly #colno: number;
  readonly #error: unknown;

  constructor(type: string, init?: ErrorEventInit) {
    requireArguments(arguments.length, 1, "Failed to construct 'ErrorEvent'");
    super(type, init);
    const options = toInit(init);
    this.#message = options?.message === undefined ? '' : toDOMString(options.message);
    this.#filename = options?.filename === undefined ? '' : toUSVString(options.filename);
    this.#lineno = (options?.lineno ?? 0) >>> 0;
    this.#colno = (options?.colno ?? 0) >>> 0;
    this.#error = options?.error;
  }

  get message(): string {
    return this.#message;
  }
  get filename(): string {
    return this.#filename;
  }
  get lineno(): number {
    return this.#lineno;
  }
  get colno(): number {
    return this.#colno;
  }
  get error(): unknown {
    return this.#error;
  }
}
defineInterface(ErrorEvent, 'ErrorEvent', { constructor: 1 });

export class PromiseRejectionEvent extends Event {
  readonly #promise: object;
  readonly #reason: unknown;

  constructor(type: string, init: EventInit & { promise: object; reason?: unknown }) {
    requireArguments(arguments.length, 2, "Failed to construct 'PromiseRejectionEvent'");
    super(type, init);
    const { promise, reason } = init;
    if (typeof promise !== 'object' || promise === null) {
      throw new TypeError("Failed to construct 'PromiseRejectionEvent': promise is not an object");
    }
    this.#promise = promise;
    this.#reason = reason;
  }

  get promise(): object {
    return this.#promise;
  }
  get reason(): unknown {
    return this.#reason;
  }
}
defineInterface(PromiseRejectionEvent, 'PromiseRejectionEvent', { constructor: 2 });

export interface MessageEventInit extends EventInit {
  data?: unknown;
  origin?: string;
  lastEventId?: string;
  source?: object | null;
  ports?: Iterable<object>;
}

export class MessageEvent extends Event {
  readonly #data: unknown;
  readonly #origin: string;
  readonly #lastEventId: string;
  readonly #source: object | null;
  readonly #ports: readonly object[];

  constructor(type: string, init?: MessageEventInit) {
    requireArguments(arguments.length, 1, "Failed to construct 'MessageEvent'");
    super(type, init);
    const options = toInit(init);
    this.#data = options?.data === undefined ? null : options.data;
    this.#origin = options?.origin === undefined ? '' : toUSVString(options.origin);
    this.#lastEventId = options?.lastEventId === undefined ? '' : toDOMString(options.lastEventId);
    this.#source = options?.source ?? null;
    this.#ports = objectFreeze(options?.ports === undefined ? [] : [...options.ports]);
  }

  get data(): unknown {
    return this.#data;
  }
  get origin(): string {
    return this.#origin;
  }
  get lastEventId(): string {
    return this.#lastEventId;
  }
  get source(): object | null {
    return this.#source;
  }
  get ports(): readonly object[] {
    return this.#ports;
  }
}
defineInterface(MessageEvent, 'MessageEvent', { constructor: 1 });

export class CloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init?: EventInit & { wasClean?: boolean; code?: number; reason?: string }) {
    requireArguments(arguments.length, 1, "Failed to construct 'CloseEvent'");
    super(type, init);
    const options = toInit(init);
    this.#wasClean = !!options?.wasClean;
    this.#code = (options?.code ?? 0) & 0xffff;
    this.#reason = options?.reason === undefined ? '' : toUSVString(options.reason);
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }
  get code(): number {
    return this.#code;
  }
  get reason(): string {
    return this.#reason;
  }
}
defineInterface(CloseEvent, 'CloseEvent', { constructor: 1 });
