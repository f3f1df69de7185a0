/** Who asks, and whether he may: the token of a request, its scopes, and the account of its path. */
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { Scope, TokenOwner } from '../store/index.ts';
import { param } from './names.ts';

/** What a route asks for. `admin`: the operator. `own:admin`: he, or an account's `admin`. `none`: any token that is good. */
export type RouteScope = Scope | 'own:admin' | 'none';

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
  /** Must not tell by the time it takes how much of a wrong token is right. Throws what the caller is to be told. */
  identify(token: string): Promise<Identity | undefined>;
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
  throw new PlatformError('forbidden', `This token may not do that: it needs the scope ${describeScope(scope)}`);
}

function isAllowed(identity: Identity, scope: RouteScope): boolean {
  if (scope === 'none') return true;
  if (scope === 'admin') return identity.account === '*' && allows(identity, scope);
  return allows(identity, scope === 'own:admin' ? 'admin' : scope);
}

/** Whether an identity has a scope, or one that includes it: whoever may write may read, the operator's `admin` may all. */
export function allows({ account, scopes }: Pick<Identity, 'account' | 'scopes'>, scope: Scope): boolean {
  if (scopes.has(scope) || (account === '*' && scopes.has('admin'))) return true;
  return scope.endsWith(':read') && scopes.has(scope.replace(':read', ':write') as Scope);
}

function describeScope(scope: RouteScope): string {
  if (scope === 'admin') return "'admin' of an operator's token";
  return scope === 'own:admin' ? "'admin'" : `'${scope}'`;
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const key = headers['x-auth-key'];
  return typeof key === 'string' && key !== '' ? key : undefined;
}
