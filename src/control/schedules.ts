/** Cron triggers of a Worker: what `deploy` and `triggers deploy` send, and how their last runs went. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { MAX_SCHEDULES } from '../limits.ts';
import { nextOf, parseCron } from '../scheduler/index.ts';
import type { Schedule } from '../store/index.ts';
import type { ControlContext, Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, type WorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

const MAX_SENT_CHARS = 1_000; // of an expression that is refused by name
const PATH = '/accounts/:account/workers/scripts/:name/schedules';

const Schedules = z.array(z.object({ cron: z.string().max(MAX_SENT_CHARS) }));

const ScheduleBody = z.object({ cron: z.string(), created_on: z.iso.datetime(), modified_on: z.iso.datetime() });
const ScheduleList = z.object({ schedules: z.array(ScheduleBody) });

const RunBody = z.object({
  due: z.iso.datetime(),
  started_on: z.iso.datetime(),
  missed: z.boolean(),
  outcome: z.string().nullable().describe('null while it runs; unknown when the platform ended meanwhile'),
  cpu_ms: z.number().nullable(),
  wall_ms: z.number().nullable(),
});
const ScheduleWithRuns = ScheduleBody.extend({ next_due: z.iso.datetime(), runs: z.array(RunBody) });

export const registerSchedules: Resource = (app, context) => {
  const { registry, schedules, now } = context;
  const list = async (key: WorkerKey): Promise<Schedule[]> => {
    if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
    return await schedules.list(key.account, key.worker);
  };

  app.put(
    PATH,
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Gives a Worker these cron triggers and no others',
        tags: ['Cron'],
        params: WorkerParams,
        body: Schedules,
        response: { 200: Result(ScheduleList) },
      },
    },
    async ({ params, body }) => {
      const key = toWorkerKey(params);
      const crons = [...new Set(body.map(({ cron }) => cron))];
      if (crons.length > MAX_SCHEDULES) {
        throw new PlatformError(
          'tooManySchedules',
          `Cannot give "${key.worker}" ${crons.length} cron triggers, limit is ${MAX_SCHEDULES}`,
        );
      }
      for (const cron of crons) parseCron(cron);
      if (crons.length > 0) await checkHandler(context, key);
      const update = { crons: crons.map((cron) => ({ cron, nextDue: nextOf(cron, now()) })), now: now() };
      const stored = await schedules.replace(key.account, key.worker, update);
      return ok({ schedules: stored.map(toBody) });
    },
  );

  app.get(
    PATH,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Lists the cron triggers of a Worker',
        tags: ['Cron'],
        params: WorkerParams,
        response: { 200: Result(ScheduleList) },
      },
    },
    async ({ params }) => ok({ schedules: (await list(toWorkerKey(params))).map(toBody) }),
  );

  app.get(
    '/accounts/:account/workers/scripts/:name/isola/schedules',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Lists the cron triggers of a Worker with their next due time and last runs',
        tags: ['Cron'],
        params: WorkerParams,
        response: { 200: Result(z.array(ScheduleWithRuns)) },
      },
    },
    async ({ params }) => ok((await list(toWorkerKey(params))).map(toBodyWithRuns)),
  );
};

/** What runs is the version with the largest share of the traffic. */
async function checkHandler({ registry }: ControlContext, { account, worker }: WorkerKey): Promise<void> {
  if ((await registry.worker(account, worker)) === undefined) throw workerNotFound({ account, worker });
  const shares = (await registry.route(account, worker))?.route.shares ?? [];
  const serving = shares.toSorted((a, b) => b.percentage - a.percentage)[0]?.version;
  const version = serving && (await registry.versionById(serving));
  if (version?.handlers.includes('scheduled') === true) return;
  throw new PlatformError(
    'noScheduledHandler',
    version === undefined
      ? `Cannot give "${worker}" cron triggers: no version of it is deployed`
      : `Cannot give "${worker}" cron triggers: the deployed version has no scheduled() handler`,
  );
}

function toBody({ cron, createdOn, modifiedOn }: Schedule): z.output<typeof ScheduleBody> {
  return { cron, created_on: toIso(createdOn), modified_on: toIso(modifiedOn) };
}

function toBodyWithRuns(schedule: Schedule): z.output<typeof ScheduleWithRuns> {
  const runs = schedule.runs.map(({ due, startedOn, missed, outcome, cpuUs, wallMs }) => ({
    due: toIso(due),
    started_on: toIso(startedOn),
    missed,
    outcome: outcome ?? null,
    cpu_ms: cpuUs === undefined ? null : cpuUs / 1e3,
    wall_ms: wallMs ?? null,
  }));
  return { ...toBody(schedule), next_due: toIso(schedule.nextDue), runs };
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
