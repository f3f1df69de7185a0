/** Who a token is, in one answer: wrangler finds it out by which of its calls fail. */
import { z } from 'zod';
import { SCOPES } from '../../store/index.ts';
import type { Resource } from '../context.ts';
import { ok, Result } from '../envelope.ts';

const Session = z.object({
  actor: z.string(),
  /** `*`: every account. */
  account: z.string(),
  scopes: z.array(z.string()),
});

export const registerSession: Resource = (app) => {
  app.get(
    '/isola/session',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'Whom the token speaks for and what it allows; account `*` is the operator',
        tags: ['Accounts'],
        response: { 200: Result(Session) },
      },
    },
    ({ identity }) => {
      const { actor, account, scopes } = identity;
      return ok({ actor, account, scopes: SCOPES.filter((scope) => scopes.has(scope)) });
    },
  );
};
