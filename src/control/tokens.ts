/** Access tokens: made, listed and revoked by the operator, and by an account's `admin` tokens for their account. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { SCOPES, type TokenOwner, type TokenRecord } from '../store/index.ts';
import type { ControlContext, Resource } from './context.ts';
import { type Envelope, ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';
import { createTokenSecret, hashToken } from './token-secret.ts';
import { PageQuery } from './whoami.ts';

const MAX_NAME_CHARS = 100;
const MAX_TOKENS = 1_000; // of one account, so that nobody fills the operator's disk

const tags = ['Tokens'];
const TokenParams = z.object({ token: z.string().max(MAX_NAME_CHARS) });
const NewToken = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(MAX_NAME_CHARS)
    .regex(/^\P{C}+$/u, 'must not contain control characters'),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  expires_on: z.iso.datetime().optional(),
});
const TokenBody = z.object({
  id: z.string(),
  account: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_on: z.string(),
  expires_on: z.string().nullable(),
  last_used_on: z.string().nullable(),
});
const MadeBody = TokenBody.extend({ token: z.string() });

export const registerTokens: Resource = (app, context) => {
  const { tokens } = context;

  app.post(
    '/isola/tokens',
    {
      config: { scope: 'admin', audit: 'token.create' },
      schema: { summary: 'Makes a token of the operator', tags, body: NewToken, response: { 200: Result(MadeBody) } },
    },
    (request) => create(context, '*', request),
  );
  app.post(
    '/accounts/:account/isola/tokens',
    {
      config: { scope: 'own:admin', audit: 'token.create' },
      schema: {
        summary: 'Makes a token of the account, shown this once',
        tags,
        params: AccountParams,
        body: NewToken,
        response: { 200: Result(MadeBody) },
      },
    },
    (request) => create(context, request.params.account, request),
  );

  const list = async (owner: TokenOwner | undefined, { page, per_page }: z.output<typeof PageQuery>) => {
    const found = await tokens.list({ ...(owner && { owner }), offset: (page - 1) * per_page, limit: per_page });
    const count = found.tokens.length;
    return ok(found.tokens.map(toTokenBody), { page, per_page, count, total_count: found.total });
  };
  const response = { 200: Result(z.array(TokenBody), { paged: true }) };
  app.get(
    '/isola/tokens',
    {
      config: { scope: 'admin' },
      schema: { summary: 'All tokens, of accounts and of the operator', tags, querystring: PageQuery, response },
    },
    ({ query }) => list(undefined, query),
  );
  app.get(
    '/accounts/:account/isola/tokens',
    {
      config: { scope: 'own:admin' },
      schema: { summary: 'The tokens of an account', tags, params: AccountParams, querystring: PageQuery, response },
    },
    ({ params, query }) => list(params.account, query),
  );

  app.delete(
    '/isola/tokens/:token',
    {
      config: { scope: 'admin', audit: 'token.revoke' },
      schema: { summary: 'Ends a token at once', tags, params: TokenParams, response: { 200: Result(TokenBody) } },
    },
    async ({ params }) => ok(toTokenBody(await tokens.revoke(params.token))),
  );
  app.delete(
    '/accounts/:account/isola/tokens/:token',
    {
      config: { scope: 'own:admin', audit: 'token.revoke' },
      schema: {
        summary: 'Ends a token of the account at once',
        tags,
        params: AccountParams.extend(TokenParams.shape),
        response: { 200: Result(TokenBody) },
      },
    },
    async ({ params }) => ok(toTokenBody(await tokens.revoke(params.token, { owner: params.account }))),
  );
};

async function create(
  { tokens, now, randomUUID }: ControlContext,
  owner: TokenOwner,
  request: { body: z.output<typeof NewToken>; auditTarget: string | undefined },
): Promise<Envelope> {
  const { name, scopes, expires_on: expiresOn } = request.body;
  if (expiresOn !== undefined && Date.parse(expiresOn) <= now()) {
    throw new PlatformError('badRequest', `Cannot make a token: it would end at ${expiresOn}, which has passed`);
  }
  const { total } = await tokens.list({ owner, limit: 1 });
  if (total >= MAX_TOKENS) {
    throw new PlatformError(
      'badRequest',
      `Cannot make a token: there are ${total} already, the limit is ${MAX_TOKENS}`,
    );
  }
  const secret = createTokenSecret();
  const record = await tokens.create(
    {
      id: randomUUID().replaceAll('-', ''),
      owner,
      name,
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      createdOn: new Date(now()).toISOString(),
      ...(expiresOn !== undefined && { expiresOn: new Date(expiresOn).toISOString() }),
    },
    hashToken(secret),
  );
  request.auditTarget = `${record.id} ${name}`;
  return ok({ ...toTokenBody(record), token: secret });
}

function toTokenBody({ id, owner, name, scopes, createdOn, expiresOn, lastUsedOn }: TokenRecord) {
  return {
    id,
    account: owner,
    name,
    scopes,
    created_on: createdOn,
    expires_on: expiresOn ?? null,
    last_used_on: lastUsedOn ?? null,
  };
}
