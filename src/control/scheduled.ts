/** Fires a Worker's `scheduled` handler by hand: isola's own, for trying a cron out. */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

const MAX_DATE_MS = 8.64e15; // ECMAScript's last instant

const ScheduledEvent = z.object({
  cron: z.string().max(200).default(''),
  scheduledTime: z.number().int().min(0).max(MAX_DATE_MS).optional(),
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
        response: { 200: Result(z.object({ outcome: z.string() })) },
      },
    },
    async ({ params, body }) => {
      const { account, worker } = toWorkerKey(params);
      const { cron, scheduledTime = now() } = body;
      // A Worker of which nothing is deployed has no code to run.
      if ((await registry.route(account, worker)) === undefined) throw workerNotFound({ account, worker });
      const { outcome } = await platform.fireScheduled(account, worker, { cron, scheduledTime });
      return ok({ outcome });
    },
  );
};
