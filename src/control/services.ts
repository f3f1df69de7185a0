/** Services: the older name of a Worker, which wrangler still asks for before and deletes by. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import { ScriptBody, toScriptBody } from './wire.ts';

const tags = ['Workers'];
const Service = z.object({
  id: z.string(),
  created_on: z.iso.datetime(),
  modified_on: z.iso.datetime(),
  default_environment: z.object({ environment: z.literal('production'), script: ScriptBody }),
});

export const registerServices: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/services/:name';

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: { summary: 'One Worker', tags, params: WorkerParams, response: { 200: Result(Service) } },
    },
    async ({ params }) => {
      const { account, worker } = toWorkerKey(params);
      const record = await registry.worker(account, worker);
      if (record === undefined) {
        throw new PlatformError('serviceNotFound', `Account '${account}' has no Worker named '${worker}'`);
      }
      return ok({
        id: worker,
        created_on: record.createdOn,
        modified_on: record.modifiedOn,
        default_environment: { environment: 'production', script: toScriptBody(record) },
      });
    },
  );

  app.delete(
    path,
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Deletes a Worker with all its versions',
        tags,
        params: WorkerParams,
        response: { 200: Result(z.null()) },
      },
    },
    async ({ params }) => {
      await releases.remove(toWorkerKey(params));
      return ok(null);
    },
  );
};
