/** What a cell tells of itself, checked: a cell may have been taken over. */
import { z } from 'zod';
import { STATS_LIMITS } from '../cell/index.ts';
import { LATENCY_BUCKETS_MS, type LatencySample } from '../latency-counts.ts';

const MAX_NAME_CHARS = 100;
const MAX_KINDS = 20;

const Count = z
  .int()
  .min(0)
  .max(2 ** 40);
const Name = z
  .string()
  .max(MAX_NAME_CHARS)
  .regex(/^[\w-]*$/);
const Sample: z.ZodType<LatencySample> = z.object({
  counts: z.array(Count).length(LATENCY_BUCKETS_MS.length + 1),
  sumMs: Count,
});
const Stats = z.object({
  memoryBytes: Count,
  spares: Count,
  instances: Count,
  running: Count,
  evicted: Count,
  coldStarts: Count,
  loopDelay: Sample,
  hostCalls: z.array(z.tuple([z.enum(['network', 'service', 'assets', 'cache', 'kv']), Sample])).max(MAX_KINDS),
  made: z.array(z.tuple([Count, Name, Name, Name, Count])).max(STATS_LIMITS.made),
  used: z.array(z.tuple([Count, Count, Count, Count])).max(STATS_LIMITS.used),
  gone: z.array(Count).max(STATS_LIMITS.gone),
  evictions: z.array(z.tuple([Name, Name])).max(STATS_LIMITS.evictions),
});

export type CheckedStats = z.output<typeof Stats>;

/** Undefined when any of it is not as it must be. */
export function parseStats(message: unknown): CheckedStats | undefined {
  return Stats.safeParse(message).data;
}
