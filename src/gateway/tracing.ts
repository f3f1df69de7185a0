/** Which requests are traced, and the span of each that is: from its arrival to the end of its answer. */
import {
  newSpanId,
  newTraceId,
  parseTraceparent,
  preciseNow,
  SpanBatch,
  type TraceParent,
  type WireSpan,
} from '../trace-context.ts';
import type { ClientIn } from './client-io.ts';

const MAX_ATTRIBUTE_CHARS = 1_024;

export interface RequestTrace extends TraceParent {
  readonly parentId: string | undefined;
  readonly startMs: number;
}

export interface TracedRequest {
  readonly req: ClientIn;
  readonly res: { readonly statusCode: number };
  readonly ray: string;
  readonly route: { readonly account: string; readonly worker: string } | undefined;
}

export class Tracing {
  readonly #ratio: number;
  readonly #spans: SpanBatch;

  /** `ratio`: of requests that are traced, 0 to 1. */
  constructor(ratio: number, send: (spans: readonly WireSpan[]) => void) {
    this.#ratio = ratio;
    this.#spans = new SpanBatch(send);
  }

  /**
   * Undefined for a request that is not traced. A trace that the client has begun goes on; but that it wants this request
   * recorded counts only where the client is believed, or anybody could have us record all of his.
   */
  begin(req: ClientIn, isTrusted: boolean): RequestTrace | undefined {
    const isChosen = Math.random() < this.#ratio;
    if (!isChosen && !isTrusted) return undefined;
    const parent = parseTraceparent(req.headers['traceparent']);
    if (!isChosen && parent?.isSampled !== true) return undefined;
    return {
      traceId: parent?.traceId ?? newTraceId(),
      parentId: parent?.spanId,
      spanId: newSpanId(),
      startMs: preciseNow(),
    };
  }

  /** Sends what is still gathered. */
  flush(): void {
    this.#spans.flush();
  }

  end({ startMs, ...trace }: RequestTrace, { req, res, ray, route }: TracedRequest, how: string): void {
    const status = how === 'upgraded' ? 101 : res.statusCode;
    const { method = 'GET', url = '', headers } = req;
    this.#spans.add({
      ...trace,
      kind: 'request',
      name: method,
      startMs,
      durationMs: preciseNow() - startMs,
      failed: status >= 500 || how === 'broken-off',
      attributes: {
        'http.request.method': method,
        'http.response.status_code': status,
        'server.address': (headers.host ?? '').slice(0, MAX_ATTRIBUTE_CHARS),
        'url.path': url.split('?', 1)[0]!.slice(0, MAX_ATTRIBUTE_CHARS),
        'isola.ray': ray,
        'isola.end': how,
        ...(route !== undefined && { 'isola.account': route.account, 'isola.worker': route.worker }),
      },
    });
  }
}
