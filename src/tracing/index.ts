/**
 * Traces: what gateway and cells tell of requests that are traced, as spans of OpenTelemetry's, exported by OTLP.
 * Called by the supervisor. Which requests are traced is the gateway's to say (gateway/tracing.ts).
 * Promise: a process that tells nonsense, or too much, costs others none of their spans, and the platform no memory.
 * Start at tracer.ts.
 */
export { type TakeSpans, Tracer } from './tracer.ts';
