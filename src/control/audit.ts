/** The audit log, to read: all of it for the operator, an account's own changes for its tokens. */
import { z } from 'zod';
import type { AuditFilter, AuditRecord } from '../store/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const MAX_LIMIT = 1_000;
const MAX_FILTER_CHARS = 200;

const tags = ['Audit log'];
const AuditQuery = z.object({
  actor: z.string().max(MAX_FILTER_CHARS).optional(),
  action: z.string().max(MAX_FILTER_CHARS).optional(),
  since: z.iso.datetime().optional(),
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(100),
});
const AuditBody = z.object({
  id: z.int(),
  at: z.string(),
  account: z.string(),
  actor: z.string(),
  token_id: z.string(),
  action: z.string(),
  target: z.string(),
  ip: z.string(),
  status: z.union([z.int(), z.enum(['pending', 'unknown'])]),
});
const response = { 200: Result(z.array(AuditBody)) };

export const registerAuditLog: Resource = (app, { audit, registry }) => {
  app.get(
    '/isola/audit',
    {
      config: { scope: 'admin' },
      schema: { summary: 'Who changed what, newest first', tags, querystring: AuditQuery, response },
    },
    async ({ query }) => ok((await audit.list(toFilter(query))).map(toAuditBody)),
  );
  app.get(
    '/accounts/:account/isola/audit',
    {
      config: { scope: 'account:read' },
      schema: {
        summary: 'The same of one account',
        tags,
        params: AccountParams,
        querystring: AuditQuery,
        response,
      },
    },
    async ({ params, query, identity }) => {
      const filter = { ...toFilter(query), account: params.account };
      // An account that had the same id before is somebody else's business.
      const madeAt = Date.parse((await registry.account(params.account))?.createdOn ?? '');
      const since = identity.account === '*' ? filter.since : Math.max(filter.since ?? 0, madeAt);
      return ok((await audit.list({ ...filter, ...(since !== undefined && { since }) })).map(toAuditBody));
    },
  );
};

function toFilter({ actor, action, since, before, limit }: z.output<typeof AuditQuery>): AuditFilter {
  return {
    ...(actor !== undefined && { actor }),
    ...(action !== undefined && { action }),
    ...(since !== undefined && { since: Date.parse(since) }),
    ...(before !== undefined && { before }),
    limit,
  };
}

function toAuditBody({ at, tokenId, ...rest }: AuditRecord) {
  return { ...rest, at: new Date(at).toISOString(), token_id: tokenId };
}
