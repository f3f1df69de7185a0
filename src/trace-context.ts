/** `traceparent` (W3C Trace Context), and spans on their way from the processes that made them to the supervisor. */
import { randomBytes } from 'node:crypto';

export interface TraceParent {
  readonly traceId: string;
  /** The span that whatever follows is a part of. */
  readonly spanId: string;
}

/** What an invocation is a part of; a trace that begins with it has no span before. */
export type TraceOrigin = Pick<TraceParent, 'traceId'> & { readonly spanId?: string | undefined };

/** 16 bytes of the trace, 8 of the parent, flags; versions after this one may add more behind it (§3.2.2). */
const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const SAMPLED = 1;

/** Undefined unless it is one. */
export function parseTraceparent(value: unknown): (TraceParent & { readonly isSampled: boolean }) | undefined {
  if (typeof value !== 'string') return undefined;
  const [, version, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(value) ?? [];
  if (version === undefined || version === 'ff' || traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  if (version === '00' && value.length !== 55) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** Of a trace that is being recorded. */
export function toTraceparent({ traceId, spanId }: TraceParent): string {
  return `00-${traceId}-${spanId}-01`;
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex');
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex');
}

export type SpanKind = 'hostCall' | 'invocation' | 'request';

/** A span that has ended, as it goes over a channel. */
export interface WireSpan extends TraceParent {
  /** Undefined: the trace begins here. */
  readonly parentId?: string | undefined;
  readonly kind: SpanKind;
  readonly name: string;
  /** ms since 1970, with fractions. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

const DELAY_MS = 200;
/** In one message, and so in one `DELAY_MS`. More are dropped, and the gateway or the cell goes on as ever. */
export const MAX_SPANS = 1_000;

/** Gathers spans. */
export class SpanBatch {
  readonly #send: (spans: readonly WireSpan[]) => void;
  #spans: WireSpan[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (spans: readonly WireSpan[]) => void) {
    this.#send = send;
  }

  add(span: WireSpan): void {
    if (this.#spans.length >= MAX_SPANS) return;
    this.#spans.push(span);
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#spans.length > 0) this.#send(this.#spans.splice(0));
  }
}

/** The wall clock with fractions of a millisecond: Date.now() is too coarse for spans within one request. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
