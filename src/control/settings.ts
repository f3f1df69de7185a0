/** What belongs to a Worker and not to a version (script-settings), and the newest version's bindings (settings). */
import { z } from 'zod';
import { bodyStream } from './body.ts';
import type { Resource } from './context.ts';
import { makerOf } from './drafts.ts';
import { ok, Result } from './envelope.ts';
import { parseSettingsBindings } from './metadata.ts';
import { readForm } from './multipart.ts';
import { toWorkerKey, type WorkerKey, WorkerParams } from './names.ts';
import { notAvailable } from './products.ts';
import { workerNotFound } from './releases.ts';
import type { VersionRecord, WorkerRecord } from '../store/index.ts';
import { toBindingBody } from './wire.ts';

const ScriptSettings = z.object({
  observability: z.looseObject({ enabled: z.boolean() }).nullish(),
  tags: z.array(z.string().max(200)).max(50).nullish(),
  logpush: z.boolean().nullish(),
  tail_consumers: z.array(z.unknown()).nullish(),
});

const tags = ['Workers'];
const SettingsBody = z.looseObject({
  tags: z.array(z.string()),
  observability: z.unknown(),
  logpush: z.boolean(),
  tail_consumers: z.array(z.unknown()),
});

export const registerSettings: Resource = (app, { registry, releases, now }) => {
  const script = '/accounts/:account/workers/scripts/:name';
  const requireWorker = async (key: WorkerKey): Promise<WorkerRecord> => {
    const record = await registry.worker(key.account, key.worker);
    if (record === undefined) throw workerNotFound(key);
    return record;
  };

  app.get(
    `${script}/settings`,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Settings of a Worker, and the bindings of its newest version',
        tags,
        params: WorkerParams,
        response: { 200: Result(SettingsBody.extend({ bindings: z.array(z.unknown()) })) },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      const record = await requireWorker(key);
      const [newest] = await registry.listVersions(key.account, key.worker, { limit: 1 });
      return ok({ ...toSettingsBody(record), ...toVersionSettings(newest) });
    },
  );

  // `wrangler secret bulk` up to 4.60.
  app.patch(
    `${script}/settings`,
    {
      config: { scope: 'workers:write', body: 'stream', audit: 'worker.settings' },
      schema: {
        summary: 'Replaces the bindings: a new version of the code that serves, with all traffic',
        tags,
        consumes: ['multipart/form-data'],
        params: WorkerParams,
        response: { 200: Result(SettingsBody.extend({ bindings: z.array(z.unknown()) })) },
      },
    },
    async (request) => {
      const key = toWorkerKey(request.params);
      const record = await requireWorker(key);
      const form = await readForm(request.headers, bodyStream(request), {
        field: 'settings',
        hold: request.bodyHold,
      });
      const version = await releases.changeBindings(key, {
        change: (bindings) => parseSettingsBindings(form.metadata, bindings),
        deploy: true,
        annotations: { 'workers/triggered_by': 'secret' },
        ...makerOf(request),
      });
      return ok({ ...toSettingsBody(record), ...toVersionSettings(version) });
    },
  );

  app.get(
    `${script}/script-settings`,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'What belongs to a Worker and to none of its versions',
        tags,
        params: WorkerParams,
        response: { 200: Result(SettingsBody) },
      },
    },
    async ({ params }) => ok(toSettingsBody(await requireWorker(toWorkerKey(params)))),
  );

  app.patch(
    `${script}/script-settings`,
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Changes tags and observability',
        tags,
        params: WorkerParams,
        body: ScriptSettings,
        response: { 200: Result(SettingsBody) },
      },
    },
    async ({ params, body }) => {
      const { observability, tags, logpush, tail_consumers } = body;
      if (logpush === true) throw notAvailable('Logpush');
      if (tail_consumers && tail_consumers.length > 0) throw notAvailable('tail Workers');
      const updated = await registry.updateWorker(params.account, params.name, {
        settings: { ...(observability && { observability }), ...(tags && { tags }) },
        modifiedOn: new Date(now()).toISOString(),
      });
      return ok(toSettingsBody(updated));
    },
  );
};

function toSettingsBody({ settings }: WorkerRecord): Record<string, unknown> {
  return {
    tags: settings.tags,
    observability: settings.observability ?? { enabled: false },
    logpush: false,
    tail_consumers: [],
  };
}

function toVersionSettings(newest: VersionRecord | undefined): Record<string, unknown> {
  return {
    bindings: newest?.spec.bindings.map(toBindingBody) ?? [],
    compatibility_date: newest?.spec.compatibilityDate,
    compatibility_flags: newest?.spec.compatibilityFlags ?? [],
    usage_model: 'standard',
  };
}
