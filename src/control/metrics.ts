/** `/metrics`, beside the API: for Prometheus, with a token of the operator that may read. */
import { PlatformError } from '../errors.ts';
import { allows, authenticate } from './auth.ts';
import type { ControlApp, ControlContext } from './context.ts';
import { createRateLimits } from './rate-limits.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function registerMetrics(app: ControlApp, { authenticator, metrics, rates }: ControlContext): void {
  const limits = createRateLimits(app, rates);
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus',
        description: "Needs a token of the operator's with the scope `account:read` or `admin`.",
        tags: ['Cells'],
      },
      onRequest: async (request, reply) => {
        await limits.checkAddress(request, reply);
        try {
          request.identity = await authenticate(request, authenticator);
        } catch (error) {
          if (error instanceof PlatformError && error.kind === 'invalidToken') await limits.noteWrongToken(request);
          throw error;
        }
        await limits.checkToken(request, reply);
        const { identity } = request;
        if (identity.account === '*' && allows(identity, 'account:read')) return;
        throw new PlatformError(
          'forbidden',
          "This token may not do that: it needs the scope 'account:read' of an operator's token",
        );
      },
    },
    async (_request, reply) => reply.type(CONTENT_TYPE).send(await metrics.toText()),
  );
}
