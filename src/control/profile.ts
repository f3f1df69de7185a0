/** CPU profiles of a Worker's requests in production. */
import { z } from 'zod';
import { CpuProfileSchema } from '../profiles/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

const MAX_SECONDS = 60;
const DEFAULT_SECONDS = 10;

const ProfileQuery = z.object({
  seconds: z.coerce.number().int().min(1).max(MAX_SECONDS).default(DEFAULT_SECONDS),
});
const ProfileBody = z.object({
  /** Id of the version whose instance it shows. */
  version: z.string(),
  /** A `.cpuprofile`. */
  profile: CpuProfileSchema,
});

export const registerProfile: Resource = (app, { registry, platform }) => {
  app.post(
    '/accounts/:account/workers/scripts/:name/isola/profile',
    {
      config: { scope: 'workers:write' },
      schema: {
        summary: 'Profile the CPU time of the next requests: answers when the time is over',
        tags: ['Workers'],
        params: WorkerParams,
        querystring: ProfileQuery,
        response: { 200: Result(ProfileBody) },
      },
    },
    async ({ params, query: { seconds } }, reply) => {
      const key = toWorkerKey(params);
      if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
      // A client that has gone wants no profile: the Worker goes back to where it was.
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      return ok(await platform.profile(key, { seconds, signal: gone.signal }));
    },
  );
};
