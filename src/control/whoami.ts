/** Who a token belongs to and which accounts it may use: `wrangler whoami`. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { Account } from '../store/index.ts';
import type { Identity } from './auth.ts';
import type { Resource } from './context.ts';
import { type Envelope, ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const MAX_PER_PAGE = 100;
const MAX_PAGE = 1e9;

const tags = ['Accounts'];
// A page that makes no sense counts as the first one: wrangler sends none at all.
export const PageQuery = z.object({
  page: z.coerce.number().int().min(1).max(MAX_PAGE).catch(1),
  per_page: z.coerce
    .number()
    .int()
    .min(1)
    .transform((value) => Math.min(value, MAX_PER_PAGE))
    .catch(MAX_PER_PAGE),
});
export const AccountBody = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  status: z.enum(['active', 'suspended']),
  created_on: z.iso.datetime(),
});
const TokenBody = z.object({ id: z.string(), status: z.literal('active') });
const Membership = z.object({
  id: z.string(),
  status: z.string(),
  account: AccountBody,
  roles: z.array(z.string()),
});

export const registerWhoami: Resource = (app, { registry }) => {
  const visibleAccounts = async (
    { account }: Identity,
    { page, per_page }: z.output<typeof PageQuery>,
  ): Promise<{ accounts: Account[]; total: number }> => {
    if (account === '*') return registry.listAccounts({ offset: (page - 1) * per_page, limit: per_page });
    const own = await registry.account(account);
    const accounts = own === undefined || page > 1 ? [] : [own];
    return { accounts, total: own === undefined ? 0 : 1 };
  };
  const listPage = async (
    { identity, query }: { identity: Identity; query: z.output<typeof PageQuery> },
    toBody: (account: Account) => unknown,
  ): Promise<Envelope> => {
    const { accounts, total } = await visibleAccounts(identity, query);
    return ok(accounts.map(toBody), { ...query, count: accounts.length, total_count: total });
  };

  app.get(
    '/user/tokens/verify',
    {
      config: { scope: 'none' },
      schema: { summary: 'Whether the token is good', tags, response: { 200: Result(TokenBody) } },
    },
    ({ identity }) => {
      // wrangler then knows that the token belongs to an account, and asks no further.
      if (identity.account !== '*') {
        throw new PlatformError('accountToken', `This token belongs to the account '${identity.account}'`);
      }
      return ok({ id: identity.tokenId, status: 'active' });
    },
  );
  app.get(
    '/accounts/:account/tokens/verify',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'The same for a token of an account',
        tags,
        params: AccountParams,
        response: { 200: Result(TokenBody) },
      },
    },
    ({ identity }) => ok({ id: identity.tokenId, status: 'active' }),
  );
  app.get(
    '/user',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'Who the token speaks for',
        tags,
        response: { 200: Result(z.object({ id: z.string(), email: z.string() })) },
      },
    },
    ({ identity }) =>
      ok({ id: identity.tokenId, email: `${identity.actor.replaceAll(/[^\w.-]/g, '-')}@isola.invalid` }),
  );
  app.get(
    '/accounts',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'The accounts that the token may use',
        tags,
        querystring: PageQuery,
        response: { 200: Result(z.array(AccountBody), { paged: true }) },
      },
    },
    (request) => listPage(request, toAccountBody),
  );
  app.get(
    '/memberships',
    {
      config: { scope: 'none' },
      schema: {
        summary: 'The same, as wrangler asks for them',
        tags,
        querystring: PageQuery,
        response: { 200: Result(z.array(Membership), { paged: true }) },
      },
    },
    (request) =>
      listPage(request, (account) => ({
        id: account.id,
        status: 'accepted',
        account: toAccountBody(account),
        roles: ['Administrator'],
      })),
  );
  app.get(
    '/accounts/:account',
    {
      config: { scope: 'none' },
      schema: { summary: 'One account', tags, params: AccountParams, response: { 200: Result(AccountBody) } },
    },
    async ({ params }) => {
      const account = await registry.account(params.account);
      if (account === undefined) throw new PlatformError('notFound', 'No such account');
      return ok(toAccountBody(account));
    },
  );
};

export function toAccountBody({ id, name, status, createdOn }: Account): Record<string, unknown> {
  return { id, name, type: 'standard', status, created_on: createdOn };
}
