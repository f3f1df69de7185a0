/** Makes spans of OpenTelemetry's from what gateway and cells tell of, and has them exported by OTLP. */
import { setTimeout } from 'node:timers/promises';
import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { type CheckedSpan, parseSpans } from './parse-spans.ts';

const KINDS = {
  request: SpanKind.SERVER,
  invocation: SpanKind.INTERNAL,
  hostCall: SpanKind.CLIENT,
} as const;
const SCOPE = { name: 'isola' };
const DELAY_MS = 1_000;
const CLOSE_MS = 3_000; // a collector that is away must not hold up the end
const WARN_EVERY_MS = 60_000;
const MAX_QUEUED = 8_192; // while the collector is away; later ones are dropped
const MAX_SPANS_PER_SECOND = 5_000; // of one process: one that has been taken over must not crowd out the others

export interface TracerOptions {
  /** Of the collector; `/v1/traces` is added, as for OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly serviceName: string;
  /** Spans could not be exported. Told once a minute. */
  readonly onFailure: (error: Error | undefined) => void;
}

/** Takes what one process tells. */
export type TakeSpans = (message: unknown) => void;

export class Tracer {
  readonly #processor: BatchSpanProcessor;
  readonly #resource: ReadableSpan['resource'];

  /** Headers, timeouts and compression come from the environment (`OTEL_EXPORTER_OTLP_…`), as the SDK has it. */
  constructor({ endpoint, serviceName, onFailure }: TracerOptions) {
    const inner = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
    const exporter = watchFailures(inner, onFailure);
    this.#processor = new BatchSpanProcessor({ exporter, scheduledDelayMillis: DELAY_MS, maxQueueSize: MAX_QUEUED });
    this.#resource = resourceFromAttributes({ 'service.name': serviceName });
  }

  /** For one process. */
  open(): TakeSpans {
    let second = 0;
    let count = 0;
    return (message) => {
      const now = Math.floor(performance.now() / 1e3);
      if (now !== second) [second, count] = [now, 0];
      for (const span of parseSpans(message)) {
        if (++count > MAX_SPANS_PER_SECOND) return;
        this.#processor.onEnd(this.#toReadable(span));
      }
    };
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    const closed = this.#processor.shutdown().catch(() => {}); // it has been told
    await Promise.race([closed, setTimeout(CLOSE_MS, undefined, { ref: false })]);
  }

  #toReadable({ traceId, spanId, parentId, kind, name, startMs, durationMs, failed, attributes }: CheckedSpan) {
    const spanContext = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
    const span: ReadableSpan = {
      name,
      kind: KINDS[kind],
      spanContext: () => spanContext,
      ...(parentId !== undefined && { parentSpanContext: { ...spanContext, spanId: parentId } }),
      startTime: toHrTime(startMs),
      endTime: toHrTime(startMs + durationMs),
      duration: toHrTime(durationMs),
      ended: true,
      status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      attributes,
      links: [],
      events: [],
      resource: this.#resource,
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
    return span;
  }
}

function watchFailures(exporter: SpanExporter, onFailure: TracerOptions['onFailure']): SpanExporter {
  let warnedAt = Number.NEGATIVE_INFINITY;
  return {
    export: (spans, onResult) =>
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.error !== undefined && now - warnedAt > WARN_EVERY_MS) {
          warnedAt = now;
          onFailure(result.error);
        }
        onResult(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1e3);
  return [seconds, Math.round((ms - seconds * 1e3) * 1e6)];
}
