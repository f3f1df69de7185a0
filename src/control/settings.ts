/** What belongs to a Worker and not to a version (script-settings), and the newest version's bindings (settings). */
import { z } from 'zod';
import { readJson } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { workerOf } from './names.ts';
import { notAvailable } from './products.ts';
import { workerNotFound, type WorkerKey } from './releases.ts';
import type { WorkerRecord } from '../store/index.ts';

const ScriptSettings = z.object({
  observability: z.looseObject({ enabled: z.boolean() }).nullish(),
  tags: z.array(z.string().max(200)).max(50).nullish(),
  logpush: z.boolean().nullish(),
  tail_consumers: z.array(z.unknown()).nullish(),
});

export const registerSettings: Resource = (app, { registry, now }) => {
  const script = '/accounts/:account/workers/scripts/:name';
  const requireWorker = async (key: WorkerKey): Promise<WorkerRecord> => {
    const record = await registry.worker(key.account, key.worker);
    if (record === undefined) throw workerNotFound(key);
    return record;
  };

  app.get(`${script}/settings`, async (request) => {
    const { account, worker } = workerOf(request);
    const record = await requireWorker({ account, worker });
    const [newest] = await registry.listVersions(account, worker, { limit: 1 });
    return ok({
      ...toSettingsBody(record),
      bindings: newest?.spec.bindings ?? [],
      compatibility_date: newest?.spec.compatibilityDate,
      compatibility_flags: newest?.spec.compatibilityFlags ?? [],
      usage_model: 'standard',
    });
  });

  app.get(`${script}/script-settings`, async (request) => ok(toSettingsBody(await requireWorker(workerOf(request)))));

  app.patch(`${script}/script-settings`, async (request) => {
    const { account, worker } = workerOf(request);
    const { observability, tags, logpush, tail_consumers } = await readJson(request, ScriptSettings);
    if (logpush === true) throw notAvailable('Logpush');
    if (tail_consumers && tail_consumers.length > 0) throw notAvailable('tail Workers');
    const updated = await registry.updateWorker(account, worker, {
      settings: { ...(observability && { observability }), ...(tags && { tags }) },
      modifiedOn: new Date(now()).toISOString(),
    });
    return ok(toSettingsBody(updated));
  });

  // wrangler reads it before deploying a Worker that has variables or bindings.
  app.get(`${script}/secrets`, async (request) => {
    await requireWorker(workerOf(request));
    return ok([]);
  });
};

function toSettingsBody({ settings }: WorkerRecord): Record<string, unknown> {
  return {
    tags: settings.tags,
    observability: settings.observability ?? { enabled: false },
    logpush: false,
    tail_consumers: [],
  };
}
