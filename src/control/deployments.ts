/** Deployments: `wrangler versions deploy`, `rollback`, `deployments list` and the second half of `wrangler deploy`. */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { parseVersionId, toWorkerKey, WorkerParams } from './names.ts';
import { makerOf } from './drafts.ts';
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
/** Also back to a version with other secrets. */
const Force = z.object({ force: z.enum(['true', 'false']).default('false') });
const Rollback = z.object({
  version_id: z.string().optional(),
  message: z.string().max(1_000).optional(),
  force: z.boolean().default(false),
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
        querystring: Force,
        body: NewDeployment,
        response: { 200: Result(DeploymentBody) },
      },
    },
    async ({ params, query, body, headers, identity }) => {
      const change = {
        shares: body.versions.map(({ version_id, percentage }) => ({
          version: parseVersionId(version_id),
          percentage,
        })),
        annotations: body.annotations,
        ...makerOf({ headers, identity }),
        force: query.force === 'true',
      };
      return ok(toDeploymentBody(await releases.deploy(toWorkerKey(params), change)));
    },
  );

  // What `wrangler rollback` does in three calls.
  app.post(
    '/accounts/:account/workers/scripts/:name/isola/rollback',
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Gives all traffic back to a version, or to the one that had it before the current deployment',
        tags,
        params: WorkerParams,
        body: Rollback,
        response: { 200: Result(DeploymentBody) },
      },
    },
    async ({ params, body, headers, identity }) => {
      const { version_id, message, force } = body;
      const deployment = await releases.rollback(toWorkerKey(params), {
        version: version_id === undefined ? undefined : parseVersionId(version_id),
        annotations: message === undefined ? {} : { 'workers/message': message },
        ...makerOf({ headers, identity }),
        force,
      });
      return ok(toDeploymentBody(deployment));
    },
  );
};
