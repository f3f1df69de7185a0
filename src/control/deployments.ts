/** Deployments: `wrangler versions deploy`, `rollback`, `deployments list` and the second half of `wrangler deploy`. */
import { z } from 'zod';
import { readJson } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { parseVersionId, workerOf } from './names.ts';
import { sourceOf } from './releases.ts';
import { toDeploymentBody } from './wire.ts';

const MAX_LISTED = 100;
const MAX_VERSIONS = 10; // of one deployment; wrangler offers two

const NewDeployment = z.object({
  strategy: z.literal('percentage').default('percentage'),
  versions: z
    .array(z.object({ version_id: z.string(), percentage: z.number() }))
    .min(1)
    .max(MAX_VERSIONS),
  annotations: z.record(z.string().max(100), z.string().max(1_000)).default({}),
});

export const registerDeployments: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/scripts/:name/deployments';

  app.get(path, async (request) => {
    const { account, worker } = workerOf(request);
    const deployments = await registry.listDeployments(account, worker, { limit: MAX_LISTED });
    return ok({ deployments: deployments.map(toDeploymentBody) });
  });

  app.post(path, async (request) => {
    const key = workerOf(request);
    const { versions, annotations } = await readJson(request, NewDeployment);
    const change = {
      shares: versions.map(({ version_id, percentage }) => ({
        version: parseVersionId(version_id),
        percentage,
      })),
      annotations,
      source: sourceOf(request.headers),
    };
    const deployed = await releases.deploy(key, change);
    return ok(toDeploymentBody({ ...change, ...deployed }));
  });
};
