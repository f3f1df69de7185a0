import { z } from 'zod';

const time = z.number().catch(0);

/** A record on its way to tails or the log store. A cell wrote it, and a cell is not trusted: what does not fit is left out. */
const CheckedRecord = z.object({
  ray: z.string().catch(''),
  account: z.string(),
  worker: z.string(),
  version: z.string().catch(''),
  event: z.enum(['fetch', 'scheduled']).catch('fetch'),
  outcome: z.string().max(100).catch('unknown'),
  status: z.number().catch(0),
  cpuUs: z.number().catch(0),
  wallMs: z.number().catch(0),
  at: time,
  method: z.string().optional().catch(undefined),
  url: z.string().optional().catch(undefined),
  cron: z.string().optional().catch(undefined),
  scheduledTime: z.number().optional().catch(undefined),
  missed: z.literal(true).optional().catch(undefined),
  truncated: z.boolean().catch(false),
  dropped: z.number().catch(0),
  logs: z.array(z.object({ level: z.string(), message: z.string(), timestamp: time })).catch([]),
  exceptions: z
    .array(z.object({ name: z.string(), message: z.string(), stack: z.string().catch(''), timestamp: time }))
    .catch([]),
  tail: z
    .object({
      clientIp: z.string().catch(''),
      headers: z.array(z.tuple([z.string(), z.string()])).catch([]),
      dropped: z.number().int().min(0).catch(0),
    })
    .catch({ clientIp: '', headers: [], dropped: 0 }),
});

export type CheckedRecord = z.output<typeof CheckedRecord>;

export function parseRecord(record: unknown): CheckedRecord | undefined {
  return CheckedRecord.safeParse(record).data;
}
