/** What invocations logged and threw, to search: the newest first. */
import { z } from 'zod';
import type { LogQuery, StoredLogEntry } from '../store/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const MAX_LIMIT = 1_000;
const MAX_FILTER_CHARS = 200;

const id = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const LogsQuery = z.object({
  worker: z.string().max(MAX_FILTER_CHARS).optional(),
  outcome: z.string().max(MAX_FILTER_CHARS).optional(),
  text: z.string().max(MAX_FILTER_CHARS).optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(100),
  cursor: id.optional(),
  after: id.optional(),
});
const EntryBody = z.object({
  id: z.string(),
  ray: z.string(),
  worker: z.string(),
  version: z.string(),
  event: z.string(),
  outcome: z.string(),
  at: z.string(),
  status: z.int(),
  method: z.string().optional(),
  url: z.string().optional(),
  cron: z.string().optional(),
  cpu_us: z.int(),
  wall_ms: z.number(),
  logs: z.array(z.object({ level: z.string(), at: z.string(), message: z.string() })),
  exceptions: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string().optional() })),
  truncated: z.boolean(),
  dropped: z.int(),
});

export const registerLogs: Resource = (app, { logs, registry }) => {
  app.get(
    '/accounts/:account/isola/logs',
    {
      config: { scope: 'tail:read' },
      schema: {
        summary: 'Console lines and exceptions of invocations, newest first; plain successes are not kept',
        tags: ['Logs'],
        params: AccountParams,
        querystring: LogsQuery,
        response: { 200: Result(z.array(EntryBody), { paged: 'cursor' }) },
      },
    },
    async ({ params: { account }, query }) => {
      // An account that had the same id before is somebody else's business.
      const madeAt = Date.parse((await registry.account(account))?.createdOn ?? '');
      const { entries, next } = await logs.list(account, toQuery(query, madeAt));
      return ok(entries.map(toBody), { count: entries.length, cursor: next === undefined ? '' : String(next) });
    },
  );
};

function toQuery(
  { worker, outcome, text, since, until, limit, cursor, after }: z.output<typeof LogsQuery>,
  madeAt: number,
): LogQuery {
  return {
    ...(worker !== undefined && { worker }),
    ...(outcome !== undefined && { outcome }),
    ...(text !== undefined && { text }),
    since: Math.max(since === undefined ? 0 : Date.parse(since), madeAt || 0),
    ...(until !== undefined && { until: Date.parse(until) }),
    ...(cursor !== undefined && { before: cursor }),
    ...(after !== undefined && { after }),
    limit,
  };
}

function toBody({ id, at, cpuUs, wallMs, logs, exceptions, ...rest }: StoredLogEntry): z.output<typeof EntryBody> {
  return {
    id: String(id),
    ...rest,
    at: toIso(at),
    cpu_us: cpuUs,
    wall_ms: wallMs,
    logs: logs.map(({ level, message, at: loggedAt }) => ({ level, at: toIso(loggedAt), message })),
    exceptions: exceptions.map(({ name, message, stack }) => ({ name, message, ...(stack !== '' && { stack }) })),
  };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
