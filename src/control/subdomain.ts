/** Default URLs: the account's subdomain, and whether a Worker answers there (`workers_dev`). */
import { z } from 'zod';
import { readJson } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { accountOf, workerOf } from './names.ts';
import { workerNotFound } from './releases.ts';
import { toScriptBody, toSubdomainBody, workerUrl } from './wire.ts';

const Subdomain = z.object({ enabled: z.boolean(), previews_enabled: z.boolean().optional() });

export const registerSubdomain: Resource = (app, context) => {
  const { registry, releases } = context;

  app.get('/accounts/:account/workers/subdomain', (request) => ok({ subdomain: accountOf(request) }));

  // wrangler prints the host name of `url`, without scheme and port.
  app.get('/accounts/:account/workers/workers/:name', async (request) => {
    const { account, worker } = workerOf(request);
    const record = await registry.worker(account, worker);
    if (record === undefined) throw workerNotFound({ account, worker });
    const url = workerUrl({ account, worker }, context);
    return ok({ ...toScriptBody(record), name: worker, subdomain: { ...toSubdomainBody(record), url } });
  });

  const path = '/accounts/:account/workers/scripts/:name/subdomain';
  app.get(path, async (request) => {
    const { account, worker } = workerOf(request);
    const record = await registry.worker(account, worker);
    if (record === undefined) throw workerNotFound({ account, worker });
    return ok(toSubdomainBody(record));
  });

  app.post(path, async (request) => {
    const key = workerOf(request);
    const { enabled, previews_enabled } = await readJson(request, Subdomain);
    await releases.setSubdomain(key, {
      subdomainEnabled: enabled,
      ...(previews_enabled !== undefined && { previewsEnabled: previews_enabled }),
    });
    const record = await registry.worker(key.account, key.worker);
    if (record === undefined) throw workerNotFound(key);
    return ok(toSubdomainBody(record));
  });
};
