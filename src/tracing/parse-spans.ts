/** Spans as a gateway or a cell tells of them, checked: a cell may have been taken over. */
import { z } from 'zod';
import { MAX_SPANS } from '../trace-context.ts';

const MAX_TEXT = 2_048;
const MAX_ATTRIBUTES = 16;
const MAX_DURATION_MS = 31 * 86_400_000;

const SpanId = z.string().regex(/^[\da-f]{16}$/);
const Attributes = z
  .record(z.string().regex(/^[a-z][a-z_.]{0,63}$/), z.union([z.string().max(MAX_TEXT), z.number()]))
  .refine((attributes) => Object.keys(attributes).length <= MAX_ATTRIBUTES);
const Spans = z
  .array(
    z.object({
      traceId: z.string().regex(/^[\da-f]{32}$/),
      spanId: SpanId,
      parentId: SpanId.optional(),
      kind: z.enum(['request', 'invocation', 'hostCall']),
      name: z.string().max(MAX_TEXT),
      startMs: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
      durationMs: z.number().min(0).max(MAX_DURATION_MS),
      failed: z.boolean(),
      attributes: Attributes,
    }),
  )
  .max(MAX_SPANS);

export type CheckedSpan = z.output<typeof Spans>[number];

/** None when any of them is not as it must be. */
export function parseSpans(message: unknown): readonly CheckedSpan[] {
  return Spans.safeParse(message).data ?? [];
}
