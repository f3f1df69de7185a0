/** Fires a Worker's `scheduled` handler by hand: isola's own, for trying a cron out. */
import { z } from 'zod';
import { MAX_CRON_CHARS } from '../limits.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

const MAX_DATE_MS = 8.64e15; // ECMAScript's last instant

const ScheduledEvent = z.object({
  cron: z.string().max(MAX_CRON_CHARS).default(''),
  scheduledTime: z.number().int().min(0).max(MAX_DATE_MS).optional(),
});

const ScheduledOutcome = z.object({
  outcome: z.string(),
  cpuMs: z.number(),
  wallMs: z.number(),
  logs: z.array(z.object({ level: z.string(), message: z.string(), timestamp: z.number() })),
  exceptions: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string(), timestamp: z.number() })),
});

export const registerScheduled: Resource = (app, { registry, platform, now }) => {
  app.post(
    '/accounts/:account/workers/scripts/:name/isola/scheduled',
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Runs the scheduled handler, and answers when it has ended',
        tags: ['Cron'],
        params: WorkerParams,
        body: ScheduledEvent,
        response: { 200: Result(ScheduledOutcome) },
      },
    },
    async ({ params, body }) => {
      const { account, worker } = toWorkerKey(params);
      const { cron, scheduledTime = now() } = body;
      // A Worker of which nothing is deployed has no code to run.
      if ((await registry.route(account, worker)) === undefined) throw workerNotFound({ account, worker });
      const event = { cron, scheduledTime, missed: false };
      const { outcome, cpuUs, wallMs, logs, exceptions } = await platform.fireScheduled(account, worker, event);
      return ok({ outcome, cpuMs: cpuUs / 1e3, wallMs, logs, exceptions });
    },
  );
};
