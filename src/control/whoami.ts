/** Who a token belongs to and which accounts it may use: `wrangler whoami`. */
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { Account } from '../store/index.ts';
import type { Resource } from './context.ts';
import { type Envelope, ok } from './envelope.ts';
import { accountOf, query } from './names.ts';

const MAX_PER_PAGE = 100;
const TOKEN_BODY = { id: 'operator', status: 'active' };

export const registerWhoami: Resource = (app, { registry }) => {
  const listPage = async (request: FastifyRequest, toBody: (account: Account) => unknown): Promise<Envelope> => {
    const page = positive(query(request, 'page')) ?? 1;
    const perPage = Math.min(positive(query(request, 'per_page')) ?? MAX_PER_PAGE, MAX_PER_PAGE);
    const { accounts, total } = await registry.listAccounts({
      offset: (page - 1) * perPage,
      limit: perPage,
    });
    return ok(accounts.map(toBody), {
      page,
      per_page: perPage,
      count: accounts.length,
      total_count: total,
    });
  };

  app.get('/user/tokens/verify', () => ok(TOKEN_BODY));
  app.get('/accounts/:account/tokens/verify', () => ok(TOKEN_BODY));
  app.get('/user', () => ok({ id: 'operator', email: 'operator@isola.invalid' }));
  app.get('/accounts', (request) => listPage(request, toAccountBody));
  app.get('/memberships', (request) =>
    listPage(request, (account) => ({
      id: account.id,
      status: 'accepted',
      account: toAccountBody(account),
      roles: ['Administrator'],
    })),
  );
  app.get('/accounts/:account', async (request) => {
    const account = await registry.account(accountOf(request));
    if (account === undefined) throw new PlatformError('notFound', 'No such account');
    return ok(toAccountBody(account));
  });
};

export function toAccountBody({ id, name, createdOn }: Account): Record<string, unknown> {
  return { id, name, type: 'standard', created_on: createdOn };
}

function positive(value: string | undefined): number | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= 1 && number <= 1e9 ? number : undefined;
}
