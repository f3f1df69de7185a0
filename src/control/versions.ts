/** Versions: `wrangler versions upload`, `list`, `view`, and the upload half of a second `wrangler deploy`. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { bodyStream } from './body.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { parseVersionId, toWorkerKey, VersionParams, WorkerParams } from './names.ts';
import { toVersionBody, VersionBody } from './wire.ts';

const MAX_LISTED = 25; // wrangler shows ten; each comes with its bindings, up to 1 MiB

const tags = ['Versions'];

export const registerVersions: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/scripts/:name/versions';

  app.post(
    path,
    {
      config: { scope: 'workers:write', body: 'stream' },
      schema: {
        summary: 'Uploads a version without deploying it',
        tags,
        consumes: ['multipart/form-data'],
        params: WorkerParams,
        response: { 200: Result(VersionBody) },
      },
    },
    async (request) => {
      const version = await releases.upload({
        ...toWorkerKey(request.params),
        headers: request.headers,
        body: bodyStream(request),
        identity: request.identity,
        hold: request.bodyHold,
      });
      return ok(toVersionBody(version));
    },
  );

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'The newest 25 versions',
        tags,
        params: WorkerParams,
        response: { 200: Result(z.object({ items: z.array(VersionBody) })) },
      },
    },
    async ({ params }) => {
      const { account, worker } = toWorkerKey(params);
      const versions = await registry.listVersions(account, worker, { limit: MAX_LISTED });
      return ok({ items: versions.map(toVersionBody) });
    },
  );

  app.get(
    `${path}/:version`,
    {
      config: { scope: 'workers:read' },
      schema: { summary: 'One version', tags, params: VersionParams, response: { 200: Result(VersionBody) } },
    },
    async ({ params }) => {
      const { account, worker } = toWorkerKey(params);
      const id = parseVersionId(params.version);
      const version = await registry.version(account, worker, id);
      if (version === undefined) {
        throw new PlatformError('versionNotFound', `Worker '${worker}' has no version ${id}`);
      }
      return ok(toVersionBody(version));
    },
  );
};
