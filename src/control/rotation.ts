/** The rotation of secrets: all of them are sealed anew while everything serves. For the operator. */
import { z } from 'zod';
import type { RotationProgress } from '../secrets/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';

const RotationBody = z.object({
  state: z.enum(['idle', 'running', 'done', 'failed']),
  total: z.int(),
  done: z.int(),
  unreadable: z.array(z.string()),
  started_on: z.string().nullable(),
  ended_on: z.string().nullable(),
});
const tags = ['Secrets'];
const response = { 200: Result(RotationBody) };

export const registerRotation: Resource = (app, { rotation }) => {
  const path = '/isola/secrets/rotation';

  app.post(
    path,
    {
      config: { scope: 'admin', audit: 'secrets.rotate' },
      schema: {
        summary: 'Begins to seal all secrets with new keys, unless that is under way',
        tags,
        response,
      },
    },
    async () => ok(toRotationBody(await rotation.start())),
  );

  app.get(
    path,
    {
      config: { scope: 'admin' },
      schema: { summary: 'How far the rotation of secrets is: the last one since the start', tags, response },
    },
    () => ok(toRotationBody(rotation.progress)),
  );
};

function toRotationBody({ startedOn, endedOn, unreadable, ...counts }: RotationProgress) {
  return { ...counts, unreadable: [...unreadable], started_on: startedOn ?? null, ended_on: endedOn ?? null };
}
