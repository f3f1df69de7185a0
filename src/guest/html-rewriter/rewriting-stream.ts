/** A body on its way through a machine: read, rewritten and handed on as its reader asks. */
import {
  bodyStream,
  type Bytes,
  bytesSlice,
  bytesSubarray,
  cancelQuietly,
  createByteStream,
  isBodyUnusable,
  lock,
  NativePromise,
  objectKeys,
  promiseResolve,
  promiseThen,
  type Reader,
  type ReadableStream,
  reflectApply,
  type ResponseState,
  typedArraySet,
  viewBytes,
} from '../core.ts';
import { acquireMachine, type Machine, type MachineHandlers, releaseMachine, type RewriterHandle } from './machine.ts';
import {
  Comment,
  createToken,
  Doctype,
  DocumentEnd,
  Element,
  endToken,
  pendingOf,
  type RunHandler,
  Text,
  type Token,
} from './tokens.ts';

type HandlerName = keyof MachineHandlers;

/** One call of `on` or `onDocument`. */
export interface Registration {
  /** Undefined: of the document. */
  readonly selector: string | undefined;
  readonly receiver: object;
  readonly handlers: Partial<Record<HandlerName, (token: object) => unknown>>;
}

const TOKENS = { element: Element, comments: Comment, text: Text, doctype: Doctype, end: DocumentEnd } as const;
const NAMES = objectKeys(TOKENS) as HandlerName[];
const INITIAL_OUTPUT = 8 * 1024; // bytes
const SHORT = 64; // bytes that are copied faster one by one than through a view
const MAX_WRITE = 64 * 1024; // bytes that the machine takes at once: what they become is held until it is read

/** Uses up the body. The machine is taken when the stream is first read. */
export function createRewritingStream(
  state: ResponseState,
  registrations: readonly Registration[],
): ReadableStream<Uint8Array> {
  if (isBodyUnusable(state)) {
    throw new TypeError("Failed to execute 'transform' on 'HTMLRewriter': the body has already been used");
  }
  const reader = lock(bodyStream(state)!);
  state.used = true;
  let rewriting: Rewriting | undefined;
  return createByteStream(
    (controller) => {
      rewriting ??= new Rewriting(reader, registrations);
      return rewriting.advance(
        (bytes) => controller.enqueue(bytes),
        () => controller.close(),
      );
    },
    (reason) => {
      rewriting?.abandon(new TypeError('The rewritten body was cancelled'));
      cancelQuietly(reader, reason);
    },
  );
}

class Rewriting {
  readonly #reader: Reader;
  readonly #machine: Machine;
  readonly #rewriter: RewriterHandle;
  /** Read and not yet written to the machine. */
  #rest: Bytes | undefined;
  #ended = false;
  /** The machine waits for a handler. */
  #suspended = false;
  /** Why nothing more comes of it. */
  #failure: { readonly reason: unknown } | undefined;
  #freed = false;
  /** What has come out and was not handed on yet. It comes token by token. */
  #output: Bytes = new Uint8Array(INITIAL_OUTPUT);
  #outputBytes = 0;

  constructor(reader: Reader, registrations: readonly Registration[]) {
    this.#reader = reader;
    this.#machine = acquireMachine();
    this.#rewriter = this.#machine.newRewriter((memory, start, length) => {
      if (this.#failure === undefined) this.#take(memory, start, length);
    });
    for (let i = 0; i < registrations.length; i++) this.#register(registrations[i]!);
  }

  /** Reads and rewrites until there is something to hand on. Rejects with what a handler threw, or the source's error. */
  async advance(enqueue: (bytes: Bytes) => void, close: () => void): Promise<void> {
    try {
      while (this.#outputBytes === 0 && !this.#ended) await this.#step();
    } catch (error) {
      const reason = this.#failure === undefined ? error : this.#failure.reason;
      this.abandon(reason);
      cancelQuietly(this.#reader, reason);
      throw reason;
    }
    if (this.#outputBytes > 0) {
      const bytes = bytesSlice(this.#output, 0, this.#outputBytes);
      this.#outputBytes = 0;
      enqueue(bytes);
    }
    if (!this.#ended || this.#freed) return;
    this.#free();
    releaseMachine(this.#machine);
    close();
  }

  /** Ends it without more output. What the machine waits for is let run out. */
  abandon(reason: unknown): void {
    this.#failure ??= { reason };
    if (!this.#suspended) this.#free();
  }

  async #step(): Promise<void> {
    if (this.#rest === undefined) {
      const { done, value } = await readNext(this.#reader);
      if (this.#failure !== undefined) throw this.#failure.reason;
      if (done) {
        await this.#settle(this.#machine.end(this.#rewriter));
        this.#ended = true;
        return;
      }
      const bytes = viewBytes(value);
      if (bytes === undefined) throw new TypeError('A body stream may only hold Uint8Array chunks');
      this.#rest = bytes;
    }
    const whole = this.#rest;
    const piece = whole.length > MAX_WRITE ? bytesSubarray(whole, 0, MAX_WRITE) : whole;
    this.#rest = whole.length > MAX_WRITE ? bytesSubarray(whole, MAX_WRITE) : undefined;
    if (piece.length > 0) await this.#settle(this.#machine.write(this.#rewriter, piece));
  }

  /** Waits until the machine is at rest, and throws what a handler did in the meantime. */
  async #settle(running: Promise<void> | undefined): Promise<void> {
    if (running !== undefined) {
      this.#suspended = true;
      try {
        await running;
      } finally {
        this.#suspended = false;
      }
    }
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  #register({ selector, receiver, handlers }: Registration): void {
    const callbacks: Record<string, (handle: unknown) => Promise<unknown> | undefined> = {};
    const context = { machine: this.#machine, run: this.#run };
    for (let i = 0; i < NAMES.length; i++) {
      const name = NAMES[i]!;
      const handler = handlers[name];
      if (handler === undefined) continue;
      const type = TOKENS[name] as typeof Element;
      callbacks[name] = (handle) => this.#run(handler, receiver, createToken(type, handle, context));
    }
    if (selector === undefined) this.#machine.onDocument(this.#rewriter, callbacks);
    else this.#machine.on(this.#rewriter, selector, callbacks);
  }

  /** Runs a handler. After the first failure no other runs; a promise never rejects, so that the machine can go on. */
  readonly #run: RunHandler = (handler, receiver, token) => {
    if (this.#failure !== undefined) {
      endToken(token);
      throw this.#failure.reason;
    }
    let answer: unknown;
    try {
      answer = reflectApply(handler, receiver, [token]);
      if (pendingOf(token) === undefined && !isThenable(answer)) {
        endToken(token);
        return undefined;
      }
    } catch (error) {
      this.#failure = { reason: error };
      endToken(token);
      throw error;
    }
    return promiseThen(
      promiseThen(promiseResolve(answer), () => waitFor(token)),
      () => endToken(token),
      (reason) => {
        this.#failure ??= { reason };
        endToken(token);
      },
    );
  };

  #take(memory: Bytes, start: number, length: number): void {
    const end = this.#outputBytes + length;
    if (end > this.#output.length) {
      const larger = new Uint8Array(end * 2);
      typedArraySet(larger, this.#output);
      this.#output = larger;
    }
    if (length > SHORT) typedArraySet(this.#output, bytesSubarray(memory, start, start + length), this.#outputBytes);
    else for (let i = 0; i < length; i++) this.#output[this.#outputBytes + i] = memory[start + i]!;
    this.#outputBytes = end;
  }

  #free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#machine.freeRewriter(this.#rewriter);
  }
}

/** Content that is still being read, also such as came while other content was. */
function waitFor(token: Token): Promise<unknown> | undefined {
  const pending = pendingOf(token);
  if (pending === undefined) return undefined;
  return promiseThen(pending, () => (pendingOf(token) === pending ? undefined : waitFor(token)));
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

interface ReadResult {
  readonly done: boolean;
  readonly value: unknown;
}

function readNext(reader: Reader): Promise<ReadResult> {
  return new NativePromise((resolve, reject) => {
    // Without a prototype, lest a promise finds a `then` that a tenant has put on every object.
    const settle = (done: boolean, value: unknown): void => {
      resolve({ __proto__: null, done, value } as ReadResult);
    };
    reader.read({ chunk: (value) => settle(false, value), close: () => settle(true, undefined), error: reject });
  });
}
