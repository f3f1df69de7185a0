/** Scripts: uploading and deploying in one step, listing, deleting. */
import { z } from 'zod';
import { bodyStream } from './body.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';
import { ScriptBody, toScriptBody } from './wire.ts';

const MAX_LISTED = 1_000;

const tags = ['Workers'];
const Uploaded = z.object({
  id: z.string(),
  deployment_id: z.uuid(),
  etag: z.string(),
  startup_time_ms: z.number(),
  handlers: z.array(z.string()),
  created_on: z.iso.datetime(),
});
const References = z.object({
  services: z.object({ incoming: z.array(z.unknown()), outgoing: z.array(z.unknown()) }),
  durable_objects: z.array(z.unknown()),
  dispatch_outbounds: z.array(z.unknown()),
});

export const registerScripts: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/scripts/:name';

  app.get(
    '/accounts/:account/workers/scripts',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Lists up to 1,000 Workers',
        tags,
        params: AccountParams,
        response: { 200: Result(z.array(ScriptBody)) },
      },
    },
    async ({ params }) => {
      const { workers } = await registry.listWorkers(params.account, { limit: MAX_LISTED });
      return ok(workers.map(toScriptBody));
    },
  );

  // The whole first deployment: upload, check, store, deploy, publish.
  app.put(
    path,
    {
      config: { scope: 'workers:write', body: 'stream' },
      schema: {
        summary: 'Uploads a version and gives it all traffic',
        tags,
        consumes: ['multipart/form-data'],
        params: WorkerParams,
        response: { 200: Result(Uploaded) },
      },
    },
    async (request) => {
      const version = await releases.uploadAndDeploy({
        ...toWorkerKey(request.params),
        headers: request.headers,
        body: bodyStream(request),
        identity: request.identity,
        hold: request.bodyHold,
      });
      return ok({
        id: version.spec.worker,
        deployment_id: version.spec.id, // the version's id: wrangler prints it as "Current Version ID"
        etag: version.etag,
        startup_time_ms: version.startupMs,
        handlers: version.handlers,
        created_on: version.spec.createdOn,
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

  // wrangler asks before deleting. Looking for bindings to this Worker would mean reading every version: not done.
  app.get(
    `${path}/references`,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'What refers to a Worker: always nothing',
        tags,
        params: WorkerParams,
        response: { 200: Result(References) },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
      return ok({ services: { incoming: [], outgoing: [] }, durable_objects: [], dispatch_outbounds: [] });
    },
  );
};
