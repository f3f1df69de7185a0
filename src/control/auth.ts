/** Who asks, and whether he may: the token of a request, its scopes, and the account of its path. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { Scope, TokenOwner } from '../store/index.ts';
import { param } from './names.ts';

/** What a route asks for. `admin`: the operator. `none`: any token that is good. */
export type RouteScope = Scope | 'none';

/** Whom a token speaks for. */
export interface Identity {
  /** As the audit log and authors of versions show it. */
  readonly actor: string;
  /** `*`: the operator, who may use every account. */
  readonly account: TokenOwner;
  readonly scopes: ReadonlySet<Scope>;
  readonly tokenId: string;
}

export interface Authenticator {
  /** Must take the same time for a wrong token whatever part of it is right. Throws what the caller is to be told. */
  identify(token: string): Promise<Identity | undefined>;
}

/** One operator token, compared by hash so that neither length nor content shows in the time taken. */
export function createOperatorTokens(operatorToken: string): Authenticator {
  const expected = digest(operatorToken);
  const identity: Identity = { actor: 'operator', account: '*', scopes: new Set(['admin']), tokenId: 'operator' };
  return {
    identify: async (token) => (timingSafeEqual(digest(token), expected) ? identity : undefined),
  };
}

/**
 * Who sends the request: by `Authorization: Bearer` or `X-Auth-Key`. Throws unless the token is good.
 *
 * Always 9109: on 10000 wrangler runs a whole `whoami` and, when that fails the same way, prints stack traces.
 */
export async function authenticate(request: FastifyRequest, authenticator: Authenticator): Promise<Identity> {
  const token = tokenOf(request);
  if (token === undefined) {
    throw new PlatformError(
      'invalidToken',
      'No access token: send one as "Authorization: Bearer <token>" (wrangler: CLOUDFLARE_API_TOKEN)',
    );
  }
  const identity = await authenticator.identify(token);
  if (identity === undefined) throw new PlatformError('invalidToken', 'Invalid access token');
  return identity;
}

/**
 * Throws unless the sender may use the route. Things of another account are not there for him, whether they exist or
 * not; of his own, he is told which scope is missing.
 */
export function authorize(request: FastifyRequest): void {
  const { identity } = request;
  const account = param(request, 'account');
  if (account !== '' && identity.account !== '*' && identity.account !== account) {
    throw new PlatformError('notFound', `There is no account '${account.slice(0, 100)}'`);
  }
  const { scope } = request.routeOptions.config;
  // Of a path that no route has there is nothing to guard.
  if (scope === undefined || isAllowed(identity, scope)) return;
  throw new PlatformError(
    'forbidden',
    `This token may not do that: it needs the scope '${scope}'${scope === 'admin' ? " of an operator's token" : ''}`,
  );
}

function isAllowed({ account, scopes }: Identity, scope: RouteScope): boolean {
  if (scope === 'none') return true;
  if (account === '*' && scopes.has('admin')) return true;
  if (scope === 'admin') return false;
  // Whoever may write may read.
  return scopes.has(scope) || scopes.has(scope.replace(':read', ':write') as Scope);
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const key = headers['x-auth-key'];
  return typeof key === 'string' && key !== '' ? key : undefined;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
