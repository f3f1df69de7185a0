/** Scripts: uploading and deploying in one step, listing, deleting. */
import { bodyStream } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { accountOf, workerOf } from './names.ts';
import { workerNotFound } from './releases.ts';
import { toScriptBody } from './wire.ts';

const MAX_LISTED = 1_000;

export const registerScripts: Resource = (app, { registry, releases }) => {
  app.get('/accounts/:account/workers/scripts', async (request) => {
    const { workers } = await registry.listWorkers(accountOf(request), { limit: MAX_LISTED });
    return ok(workers.map(toScriptBody));
  });

  // The whole first deployment: upload, check, store, deploy, publish.
  app.put('/accounts/:account/workers/scripts/:name', async (request) => {
    const version = await releases.uploadAndDeploy({
      ...workerOf(request),
      headers: request.headers,
      body: bodyStream(request),
    });
    return ok({
      id: version.spec.worker,
      deployment_id: version.spec.id, // the version's id: wrangler prints it as "Current Version ID"
      etag: version.etag,
      startup_time_ms: version.startupMs,
      handlers: version.handlers,
      created_on: version.spec.createdOn,
    });
  });

  app.delete('/accounts/:account/workers/scripts/:name', async (request) => {
    await releases.remove(workerOf(request));
    return ok(null);
  });

  // wrangler asks before deleting. Looking for bindings to this Worker would mean reading every version: not done.
  app.get('/accounts/:account/workers/scripts/:name/references', async (request) => {
    const { account, worker } = workerOf(request);
    if ((await registry.worker(account, worker)) === undefined) throw workerNotFound({ account, worker });
    return ok({ services: { incoming: [], outgoing: [] }, durable_objects: [], dispatch_outbounds: [] });
  });
};
