/** The spans of an invocation that is traced: its own, and one for each thing that it asks of others. */
import type { VersionSpec } from '../model.ts';
import {
  newSpanId,
  parseTraceparent,
  preciseNow,
  toTraceparent,
  type TraceOrigin,
  type TraceParent,
  type WireSpan,
} from '../trace-context.ts';
import type { HostCallKind } from './host-call-times.ts';

export type TakeSpan = (span: WireSpan) => void;

export class InvocationTrace implements TraceParent {
  readonly traceId: string;
  readonly spanId = newSpanId();
  readonly #parentId: string | undefined;
  readonly #take: TakeSpan;
  readonly #startMs = preciseNow();

  constructor(parent: TraceOrigin, take: TakeSpan) {
    this.traceId = parent.traceId;
    this.#parentId = parent.spanId;
    this.#take = take;
  }

  end(
    outcome: string,
    { account, worker }: Pick<VersionSpec, 'account' | 'worker'>,
    use: { readonly version: string; readonly ray: string; readonly cpuUs: number; readonly event: string },
  ): void {
    const { traceId, spanId } = this;
    this.#take({
      traceId,
      spanId,
      parentId: this.#parentId,
      kind: 'invocation',
      name: `${use.event} ${worker}`,
      startMs: this.#startMs,
      durationMs: preciseNow() - this.#startMs,
      failed: outcome !== 'ok' && outcome !== 'canceled',
      attributes: {
        'isola.account': account,
        'isola.worker': worker,
        'isola.version': use.version,
        'isola.ray': use.ray,
        'isola.outcome': outcome,
        'isola.cpu_us': Math.round(use.cpuUs),
      },
    });
  }

  beginCall(kind: HostCallKind): CallTrace {
    return new CallTrace(this, kind, this.#take);
  }
}

export class CallTrace implements TraceParent {
  readonly traceId: string;
  readonly spanId = newSpanId();
  readonly #parentId: string;
  readonly #kind: HostCallKind;
  readonly #take: TakeSpan;
  readonly #startMs = preciseNow();
  #ended = false;

  constructor(parent: TraceParent, kind: HostCallKind, take: TakeSpan) {
    this.traceId = parent.traceId;
    this.#parentId = parent.spanId;
    this.#kind = kind;
    this.#take = take;
  }

  /** The head of the answer is there; `status` is undefined when there will be none. */
  end(status: number | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const { traceId, spanId } = this;
    this.#take({
      traceId,
      spanId,
      parentId: this.#parentId,
      kind: 'hostCall',
      name: this.#kind,
      startMs: this.#startMs,
      durationMs: preciseNow() - this.#startMs,
      failed: status === undefined || status >= 500,
      attributes: { 'isola.kind': this.#kind, ...(status !== undefined && { 'http.response.status_code': status }) },
    });
  }
}

/** The gateway's mark is a `traceparent` behind the ray: `ray traceparent`. */
export function splitRay(text: string): [ray: string, trace: TraceParent | undefined] {
  const space = text.indexOf(' ');
  return space < 0 ? [text, undefined] : [text.slice(0, space), parseTraceparent(text.slice(space + 1))];
}

const OWN_HEADER = /\ntraceparent\n([^\n]*)/;

/**
 * The head of a fetch, carrying on the trace. What a guest passes on of the request that it had is replaced; of one that
 * traces by itself it is left alone.
 */
export function withTraceparent(head: string, call: TraceParent): string {
  const [found, value] = OWN_HEADER.exec(head) ?? [];
  const header = `\ntraceparent\n${toTraceparent(call)}`;
  if (found === undefined) return head + header;
  return parseTraceparent(value)?.traceId === call.traceId ? head.replace(found, () => header) : head;
}
