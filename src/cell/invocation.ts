/** One event being handled: its limits, its logs, its answer, and how it ended. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import { ENTER } from '../guest/abi.ts';
import { MAX_LOG_BYTES, MAX_REQUEST_BODY_BYTES, WAIT_UNTIL_WALL_MS } from '../limits.ts';
import { countHops, LOOP_HEADER } from '../loop-header.ts';
import type { TraceOrigin } from '../trace-context.ts';
import type { ExceptionInfo, InvocationRecord, LogLine, Outcome, TailDetails } from '../model.ts';
import type { Told } from '../usage/index.ts';
import { failureResponse } from './failure-response.ts';
import type { InStream } from './in-stream.ts';
import type { Instance } from './instance.ts';
import type { InvocationTrace } from './invocation-trace.ts';
import type { OutStream } from './out-stream.ts';
import type { ClientSocket } from './relay.ts';

/** Counts the calls through service bindings of one request, however they branch. */
export interface CallChain {
  calls: number;
}

/** What started an invocation. */
export interface InvocationEvent {
  readonly kind: InvocationRecord['event'];
  readonly ray: string;
  readonly clientIp: string;
  /** For fetch: `method\nurl\nname\nvalue\n…`. For scheduled: the cron expression. */
  readonly head: string;
  readonly scheduledTime?: number;
  /** A scheduled event that makes up for due times that have passed. */
  readonly missed?: boolean;
  /** For fetch: the export that answers, when it is not the default one. */
  readonly entrypoint?: string | undefined;
  /** How many service bindings lie between the client and here. */
  readonly depth: number;
  /** Of everything that the same request set off. */
  readonly chain?: CallChain;
  /** What it is a part of, when it is traced. */
  readonly trace?: TraceOrigin | undefined;
  /** Of a call through a service binding: the caller's. */
  readonly hops?: number;
}

const MAX_EXCEPTIONS = 20; // recorded per invocation; one is the rule
const LOG_LINE_BYTES = 64; // what a line costs beside its text: empty ones are not free
const INLINE_BODY = 64 * 1024; // a shorter body never waits for credit
const MAX_RECORDED_URL = 2_048; // characters of a URL in the record
const MAX_TAILED_HEADERS_CHARS = 32 * 1024; // of a request, names and values; the rest is left out
const SCHEDULED_WALL_MS = 15 * 60_000; // nobody waits for a scheduled event, so something must end it

/** Who hears of the end. */
export interface InvocationOwner {
  onFinish(invocation: Invocation, outcome: Outcome): void;
}

export class Invocation implements ExchangeEvents {
  /** Within its instance; 0 until it has one. */
  id = 0;
  readonly event: InvocationEvent;
  readonly exchange: Exchange | undefined;
  /** Made when it first calls a service binding. */
  chain: CallChain | undefined;
  /** CPU time used so far, in µs. */
  cpuUs = 0;
  /** What of it was used before the budget was last renewed. */
  renewedAtUs = 0;
  subrequests = 0;
  /** Those made before the budget was last renewed. */
  renewedSubrequests = 0;
  /** It had to wait for its instance to be made. */
  cold = false;
  /** What has been counted of it while it runs. */
  told: Told | undefined;
  /** Made when it is traced. */
  trace: InvocationTrace | undefined;
  /** Subrequests that wait for their response's head; further ones queue in `waiting`. */
  openConnections = 0;
  readonly waiting: (() => void)[] = [];
  /** Timers, calls and pulls whose answer will enter the guest again. */
  outstanding = 0;
  finished = false;
  responded = false;
  /** The guest has said that all is settled, and keeps nothing of it. */
  guestDone = false;
  /** How the guest says it ended; valid with `guestDone`. */
  outcome: Outcome = 'ok';
  /** A timer, call or stream was made on its behalf: there may be something to drop at its end. */
  hasResources = false;
  requestBody: InStream | undefined;
  responseBody: OutStream | undefined;
  /** What the exchange has become, once it was answered with 101. */
  socket: ClientSocket | undefined;
  readonly #startedAt: number;
  readonly #startedAtMs = performance.now();
  readonly #owner: InvocationOwner | undefined;
  #instance: Instance | undefined;
  #logs: LogLine[] = [];
  #logBytes = 0;
  #truncated = false;
  /** The whole answer has been handed over. */
  #answered = false;
  /** The client went away before it had its answer. */
  #canceled = false;
  #exceptions: ExceptionInfo[] = [];
  #status = 0;
  #waitUntilTimer: NodeJS.Timeout | undefined;
  #bodyBytes = 0;
  #heldBytes = 0;
  #early: { chunks: Buffer[]; ended: boolean } | undefined;

  constructor(
    event: InvocationEvent,
    exchange: Exchange | undefined,
    context: { now: number; owner: InvocationOwner | undefined },
  ) {
    this.event = event;
    this.exchange = exchange;
    this.chain = event.chain;
    this.#startedAt = context.now;
    this.#owner = context.owner;
  }

  /** Fetches of Workers by way of the network that lie before it. */
  get hops(): number {
    const { kind, head, hops } = this.event;
    if (hops !== undefined) return hops;
    if (kind !== 'fetch' || !head.includes(LOOP_HEADER)) return 0;
    const parts = head.split('\n');
    let count = 0;
    // At the places of names only: a value may be anything.
    for (let at = 2; at + 1 < parts.length; at += 2) if (parts[at] === LOOP_HEADER) count += countHops(parts[at + 1]);
    return count;
  }

  get instance(): Instance | undefined {
    return this.#instance;
  }

  /** An instance takes it. Body bytes that came while it was being made are handed on. */
  attach(instance: Instance, id: number): void {
    this.#instance = instance;
    this.id = id;
  }

  /** Keeps body bytes that arrive before there is an instance; within the exchange's window. */
  holdBody(first: Buffer): void {
    this.#early = { chunks: first.byteLength > 0 ? [first] : [], ended: false };
  }

  /** The request's body goes to `stream` from here on. */
  connectBody(stream: InStream): void {
    this.requestBody = stream;
    const early = this.#early;
    this.#early = undefined;
    for (const chunk of early?.chunks ?? []) stream.push(chunk);
    if (early?.ended === true) stream.end();
  }

  // Events of the client's exchange.

  onData(chunk: Buffer): void {
    if (this.socket !== undefined) return this.socket.onData(chunk);
    this.#bodyBytes += chunk.byteLength;
    if (this.#bodyBytes > MAX_REQUEST_BODY_BYTES) {
      this.requestBody?.fail(`The request body is longer than ${MAX_REQUEST_BODY_BYTES} bytes`);
    } else if (this.requestBody === undefined) {
      this.#early?.chunks.push(chunk);
    } else {
      this.requestBody.push(chunk);
    }
  }

  onEnd(): void {
    if (this.socket !== undefined) return this.socket.onEnd();
    if (this.requestBody === undefined) {
      if (this.#early !== undefined) this.#early.ended = true;
    } else {
      this.requestBody.end();
    }
  }

  onDrain(): void {
    if (this.socket !== undefined) return this.socket.onDrain?.();
    this.#releaseHeld();
    this.responseBody?.drained();
  }

  /** The client has gone. Work promised to `waitUntil` may still finish. */
  onReset(code: number, reason = ''): void {
    this.#releaseHeld();
    // It has the whole answer, and only takes no more of what it was sending.
    if (this.finished || (this.#answered && code === RESET_CODES.none)) return;
    if (this.socket !== undefined) {
      this.#canceled = true;
      this.socket.onReset(code, reason);
    }
    if (this.finished) return;
    this.requestBody?.fail('The client disconnected');
    this.responseBody?.refuse();
    if (this.#instance === undefined) this.finish('canceled');
    else {
      this.#canceled = true;
      this.#instance.enter(this, ENTER.abort, this.id);
      this.startWaitUntil();
    }
  }

  /** Each event of a WebSocket may use what an invocation may: it lives as long as its client likes. */
  renewBudget(): void {
    this.renewedAtUs = this.cpuUs;
    this.renewedSubrequests += this.subrequests;
    this.subrequests = 0;
    // Calls of Workers among each other stay counted, however long they keep one another going.
    if (this.event.depth === 0) this.chain = undefined;
  }

  /** The answer is complete. What is left may take so much longer. */
  onAnswered(): void {
    this.#answered = true;
    this.startWaitUntil();
  }

  /** Sends the guest's answer. Throws RangeError when the head is too long for a frame. */
  respond(status: number, head: string, body: Uint8Array | string | undefined, complete: boolean): void {
    if (this.responded || this.finished) return;
    this.responded = true;
    this.#status = status;
    this.exchange?.respond(status, head, body, complete);
    // What the client has not taken yet is held here, and counted as the instance's memory.
    if (body !== undefined && body.length > INLINE_BODY) this.#hold(this.exchange?.queuedBytes ?? 0);
  }

  #hold(bytes: number): void {
    const instance = this.#instance;
    if (instance === undefined || bytes === 0) return;
    this.#heldBytes = bytes;
    instance.heldBytes += bytes;
    if (instance.heldBytes > instance.maxHeldBytes) this.finish('exceededMemory');
  }

  #releaseHeld(): void {
    if (this.#instance !== undefined) this.#instance.heldBytes -= this.#heldBytes;
    this.#heldBytes = 0;
  }

  log(level: LogLine['level'], message: string, now: number): void {
    this.#logBytes += message.length + LOG_LINE_BYTES;
    if (this.#logBytes > MAX_LOG_BYTES) this.#truncated = true;
    else this.#logs.push({ level, message, timestamp: now });
  }

  exception(info: ExceptionInfo): void {
    this.#logBytes += info.message.length + info.stack.length;
    if (this.#exceptions.length < MAX_EXCEPTIONS && this.#logBytes <= MAX_LOG_BYTES) this.#exceptions.push(info);
    else this.#truncated = true;
  }

  /** V8 refuses an ArrayBuffer beyond the memory limit with an exception, where it ends the isolate for a heap object. */
  get ranOutOfBuffers(): boolean {
    const last = this.#exceptions.at(-1);
    return last?.name === 'RangeError' && last.message === 'Array buffer allocation failed';
  }

  /** From here on it may take so much longer. */
  startWaitUntil(): void {
    if (this.finished) return;
    const limitMs = this.event.kind === 'scheduled' ? SCHEDULED_WALL_MS : WAIT_UNTIL_WALL_MS;
    this.#waitUntilTimer ??= setTimeout(() => this.finish('exceededWallTime'), limitMs);
  }

  /**
   * Ends it, once. A client that has had no answer gets one that fits the outcome; one in the middle of a body sees the
   * body break off. Everything the guest still waits for on its behalf is dropped.
   */
  finish(outcome: Outcome): void {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.#waitUntilTimer);
    const ended = this.#canceled && outcome === 'ok' ? 'canceled' : outcome;
    if (this.exchange !== undefined && !this.#canceled) this.#answerClient(this.exchange, ended);
    this.waiting.length = 0;
    this.#instance?.release(this);
    this.#owner?.onFinish(this, ended);
  }

  /** Stands in for an ended invocation in the entry that makes the guest forget it: without exchange or record. */
  toClosing(): Invocation {
    const closing = new Invocation(this.event, undefined, { now: this.#startedAt, owner: undefined });
    closing.id = this.id;
    closing.guestDone = true;
    return closing;
  }

  /** What it has used so far. */
  toUse(): Pick<InvocationRecord, 'cpuUs' | 'wallMs' | 'bytesIn' | 'bytesOut' | 'subrequests' | 'event' | 'service'> {
    return {
      event: this.event.kind,
      service: this.event.depth > 0 ? true : undefined,
      cpuUs: Math.round(this.cpuUs + (this.#instance?.cpuUsUnderWay(this) ?? 0)),
      wallMs: Math.round((performance.now() - this.#startedAtMs) * 1e3) / 1e3,
      bytesIn: this.exchange?.receivedBytes ?? 0,
      bytesOut: this.exchange?.writtenBytes ?? 0,
      subrequests: this.renewedSubrequests + this.subrequests,
    };
  }

  toRecord(outcome: Outcome, spec: Pick<InvocationRecord, 'account' | 'version' | 'worker'>): InvocationRecord {
    const { kind, ray, head, scheduledTime, missed } = this.event;
    const methodEnd = head.indexOf('\n');
    const urlEnd = head.indexOf('\n', methodEnd + 1);
    const isFetch = kind === 'fetch';
    return {
      ray,
      account: spec.account,
      worker: spec.worker,
      version: spec.version,
      event: kind,
      outcome,
      status: this.#status,
      cpuUs: Math.round(this.cpuUs),
      wallMs: Math.round((performance.now() - this.#startedAtMs) * 1e3) / 1e3,
      at: this.#startedAt,
      bytesIn: this.exchange?.receivedBytes ?? 0,
      bytesOut: this.exchange?.writtenBytes ?? 0,
      subrequests: this.renewedSubrequests + this.subrequests,
      memoryBytes: this.#instance?.memoryAtEnd(outcome) ?? 0,
      cold: this.cold,
      ...(this.event.depth > 0 && { service: true }),
      method: isFetch ? head.slice(0, methodEnd) : undefined,
      url: isFetch
        ? head.slice(methodEnd + 1, Math.min(urlEnd < 0 ? head.length : urlEnd, methodEnd + 1 + MAX_RECORDED_URL))
        : undefined,
      logs: this.#logs,
      exceptions: this.#exceptions,
      truncated: this.#truncated,
      ...(!isFetch && { cron: head, scheduledTime, missed: missed === true ? true : undefined }),
    };
  }

  /** What somebody who tails the Worker is to see beside the record. */
  toTailDetails(dropped: number): TailDetails {
    const { kind, head, clientIp } = this.event;
    const headers: [string, string][] = [];
    const parts = kind === 'fetch' ? head.split('\n') : [];
    let chars = 0;
    for (let at = 2; at + 1 < parts.length; at += 2) {
      const [name = '', value = ''] = [parts[at], parts[at + 1]];
      chars += name.length + value.length;
      if (chars > MAX_TAILED_HEADERS_CHARS) break;
      headers.push([name, value]);
    }
    return { clientIp, headers, dropped };
  }

  #answerClient(exchange: Exchange, outcome: Outcome): void {
    if (!this.responded) {
      const { status, head, body } = failureResponse(outcome, this.event.ray);
      this.responded = true;
      this.#status = status;
      exchange.respond(status, head, body, true);
    } else if (this.socket !== undefined) {
      this.socket.terminate(outcome === 'ok' || outcome === 'canceled' ? RESET_CODES.restarted : RESET_CODES.internal);
    } else if ((this.responseBody !== undefined || this.#heldBytes > 0) && outcome !== 'ok') {
      this.#releaseHeld();
      exchange.reset(RESET_CODES.internal, `the Worker ended: ${outcome}`);
    }
  }
}
