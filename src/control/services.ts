/** Services: the older name of a Worker, which wrangler still asks for before and deletes by. */
import { PlatformError } from '../errors.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { workerOf } from './names.ts';
import { toScriptBody } from './wire.ts';

export const registerServices: Resource = (app, { registry, releases }) => {
  app.get('/accounts/:account/workers/services/:name', async (request) => {
    const { account, worker } = workerOf(request);
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
  });

  app.delete('/accounts/:account/workers/services/:name', async (request) => {
    await releases.remove(workerOf(request));
    return ok(null);
  });
};
