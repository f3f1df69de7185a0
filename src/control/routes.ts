/** Routes of a Worker: what `wrangler deploy` and `wrangler triggers deploy` send for `routes`. */
import { z } from 'zod';
import { MAX_ROUTES } from '../limits.ts';
import type { HostRule } from '../model.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

export const MAX_PATTERN_CHARS = 4_096;

const tags = ['Routing'];
/** Zones need not be said: a host name tells. */
const Routes = z
  .array(z.union([z.string().max(MAX_PATTERN_CHARS), z.looseObject({ pattern: z.string().max(MAX_PATTERN_CHARS) })]))
  .max(MAX_ROUTES);
export const RouteBody = z.object({ id: z.string(), pattern: z.string(), script: z.string().nullable() });

export const registerRoutes: Resource = (app, { registry, hostnames, rules }) => {
  const path = '/accounts/:account/workers/scripts/:name/routes';

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'The routes of a Worker',
        tags,
        params: WorkerParams,
        response: { 200: Result(z.array(RouteBody)) },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
      const all = await hostnames.rules(key.account, key.worker);
      return ok(all.filter(({ kind }) => kind === 'route').map(toRouteBody));
    },
  );

  app.put(
    path,
    {
      config: { scope: 'workers:write', audit: 'routes.replace' },
      schema: {
        summary: 'Replaces the routes of a Worker',
        tags,
        params: WorkerParams,
        body: Routes,
        response: { 200: Result(z.array(RouteBody)) },
      },
    },
    async ({ params, body }) => {
      const patterns = body.map((route) => (typeof route === 'string' ? route : route.pattern));
      return ok((await rules.replace(toWorkerKey(params), 'route', { patterns })).map(toRouteBody));
    },
  );
};

export function toRouteBody({ id, pattern, worker }: HostRule & { pattern: string }): z.output<typeof RouteBody> {
  return { id, pattern, script: worker };
}
