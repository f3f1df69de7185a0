/** Versions: `wrangler versions upload`, `list`, `view`, and the upload half of a second `wrangler deploy`. */
import { PlatformError } from '../errors.ts';
import { bodyStream } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { param, parseVersionId, workerOf } from './names.ts';
import { toVersionBody } from './wire.ts';

const MAX_LISTED = 25; // wrangler shows ten; each comes with its bindings, up to 1 MiB

export const registerVersions: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/scripts/:name/versions';

  app.post(path, async (request) => {
    const version = await releases.upload({
      ...workerOf(request),
      headers: request.headers,
      body: bodyStream(request),
    });
    return ok(toVersionBody(version));
  });

  app.get(path, async (request) => {
    const { account, worker } = workerOf(request);
    const versions = await registry.listVersions(account, worker, { limit: MAX_LISTED });
    return ok({ items: versions.map(toVersionBody) });
  });

  app.get(`${path}/:version`, async (request) => {
    const { account, worker } = workerOf(request);
    const id = parseVersionId(param(request, 'version'));
    const version = await registry.version(account, worker, id);
    if (version === undefined) {
      throw new PlatformError('versionNotFound', `Worker '${worker}' has no version ${id}`);
    }
    return ok(toVersionBody(version));
  });
};
