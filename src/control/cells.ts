/** The cells and the isolates in them, as of the last second: all of them for the operator, an account's own for it. */
import { z } from 'zod';
import type { CellView } from '../metrics/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const tags = ['Cells'];
const IsolateBody = z.object({
  account: z.string(),
  worker: z.string(),
  version: z.string(),
  memory_bytes: z.int(),
  cpu_us_last_second: z.int(),
  requests_last_second: z.int(),
  idle_ms: z.int(),
  age_ms: z.int(),
});
const EventBody = z.object({
  kind: z.enum(['evicted', 'quarantined', 'restarted']),
  account: z.string().optional(),
  worker: z.string().optional(),
  at: z.iso.datetime(),
});
const OwnCellBody = z.object({
  id: z.string(),
  cordon: z.string(),
  started_at: z.iso.datetime(),
  isolates: z.array(IsolateBody),
  events: z.array(EventBody),
});
const CellBody = OwnCellBody.extend({
  pid: z.int().nullable(),
  memory_bytes: z.int(),
  spares: z.int(),
  instances: z.int(),
  evicted_total: z.int(),
  restarts_total: z.int(),
  running: z.int(),
  queue_delay_ms: z.number(),
});

export const registerCells: Resource = (app, { cells }) => {
  app.get(
    '/isola/cells',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'All cells with their isolates',
        description: 'Numbers are of the last second; events newest first, 100 a cell.',
        tags,
        response: { 200: Result(z.array(CellBody)) },
      },
    },
    () => ok(cells.list().map(toCellBody)),
  );
  app.get(
    '/accounts/:account/isola/cells',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: "The account's isolates, by the cells that they are in",
        description: 'Cells in which nothing of the account is, or was evicted lately, are left out.',
        tags,
        params: AccountParams,
        response: { 200: Result(z.array(OwnCellBody)) },
      },
    },
    ({ params }) => ok(cells.list(params.account).map(toOwnCellBody)),
  );
};

function toCellBody(cell: CellView) {
  return {
    ...toOwnCellBody(cell),
    pid: cell.pid ?? null,
    memory_bytes: cell.memoryBytes,
    spares: cell.spares,
    instances: cell.instances,
    evicted_total: cell.evicted,
    restarts_total: cell.restarts,
    running: cell.running,
    queue_delay_ms: cell.loopDelayMs,
  };
}

/** Without what is nobody's business but the operator's. */
function toOwnCellBody({ id, cordon, startedAt, isolates, events }: CellView) {
  return {
    id,
    cordon,
    started_at: new Date(startedAt).toISOString(),
    isolates: isolates.map(({ memoryBytes, cpuUs, requests, idleMs, ageMs, ...isolate }) => ({
      ...isolate,
      memory_bytes: memoryBytes,
      cpu_us_last_second: cpuUs,
      requests_last_second: requests,
      idle_ms: Math.round(idleMs),
      age_ms: Math.round(ageMs),
    })),
    events: events.map(({ at, ...event }) => ({ ...event, at: new Date(at).toISOString() })),
  };
}
