/** Default URLs: the account's subdomain, and whether a Worker answers there (`workers_dev`). */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';
import { previewSuffix, ScriptBody, SubdomainBody, toScriptBody, toSubdomainBody, workerUrl } from './wire.ts';

const Subdomain = z.object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });

const tags = ['Routing'];

export const registerSubdomain: Resource = (app, context) => {
  const { registry, releases } = context;

  app.get(
    '/accounts/:account/workers/subdomain',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'The name under which an account’s Workers answer',
        tags,
        params: AccountParams,
        response: { 200: Result(z.object({ subdomain: z.string() })) },
      },
    },
    ({ params }) => ok({ subdomain: params.account }),
  );

  // wrangler prints the host name of `url`, without scheme and port.
  app.get(
    '/accounts/:account/workers/workers/:name',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'One Worker with its default URL',
        tags,
        params: WorkerParams,
        response: {
          200: Result(
            ScriptBody.extend({
              name: z.string(),
              subdomain: SubdomainBody.extend({ url: z.string(), preview_url_suffix: z.string() }),
            }),
          ),
        },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      const record = await registry.worker(key.account, key.worker);
      if (record === undefined) throw workerNotFound(key);
      const url = workerUrl(key, context);
      const subdomain = { ...toSubdomainBody(record), url, preview_url_suffix: previewSuffix(key, context) };
      return ok({ ...toScriptBody(record), name: key.worker, subdomain });
    },
  );

  const path = '/accounts/:account/workers/scripts/:name/subdomain';
  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Whether a Worker answers at its default URL',
        tags,
        params: WorkerParams,
        response: { 200: Result(SubdomainBody) },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      const record = await registry.worker(key.account, key.worker);
      if (record === undefined) throw workerNotFound(key);
      return ok(toSubdomainBody(record));
    },
  );

  app.post(
    path,
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Shows or hides a Worker at its default URL',
        tags,
        params: WorkerParams,
        body: Subdomain,
        response: { 200: Result(SubdomainBody) },
      },
    },
    async ({ params, body }) => {
      const key = toWorkerKey(params);
      await releases.setSubdomain(key, {
        subdomainEnabled: body.enabled,
        ...(body.previews_enabled !== undefined && { previewsEnabled: body.previews_enabled }),
      });
      const record = await registry.worker(key.account, key.worker);
      if (record === undefined) throw workerNotFound(key);
      return ok(toSubdomainBody(record));
    },
  );
};
