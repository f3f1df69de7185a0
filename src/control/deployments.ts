/** Deployments: `wrangler versions deploy`, `rollback`, `deployments list` and the second half of `wrangler deploy`. */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { parseVersionId, toWorkerKey, WorkerParams } from './names.ts';
import { sourceOf } from './releases.ts';
import { DeploymentBody, toDeploymentBody } from './wire.ts';

const MAX_LISTED = 100;
const MAX_VERSIONS = 10; // of one deployment; wrangler offers two

const tags = ['Deployments'];
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

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'The newest 100 deployments',
        tags,
        params: WorkerParams,
        response: { 200: Result(z.object({ deployments: z.array(DeploymentBody) })) },
      },
    },
    async ({ params }) => {
      const { account, worker } = toWorkerKey(params);
      const deployments = await registry.listDeployments(account, worker, { limit: MAX_LISTED });
      return ok({ deployments: deployments.map(toDeploymentBody) });
    },
  );

  app.post(
    path,
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Shares the traffic among versions',
        tags,
        params: WorkerParams,
        body: NewDeployment,
        response: { 200: Result(DeploymentBody) },
      },
    },
    async ({ params, body, headers }) => {
      const change = {
        shares: body.versions.map(({ version_id, percentage }) => ({
          version: parseVersionId(version_id),
          percentage,
        })),
        annotations: body.annotations,
        source: sourceOf(headers),
      };
      const deployed = await releases.deploy(toWorkerKey(params), change);
      return ok(toDeploymentBody({ ...change, ...deployed }));
    },
  );
};
