import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';

/** Who a token speaks for. `*`: the operator, who may use every account. */
export interface Identity {
  readonly account: '*';
}

export interface Tokens {
  /** Must take the same time for a wrong token whatever part of it is right. */
  verify(token: string): Identity | undefined;
}

/** One operator token, compared by hash so that neither length nor content shows in the time taken. */
export function createOperatorTokens(operatorToken: string): Tokens {
  const expected = digest(operatorToken);
  return {
    verify: (token) => (timingSafeEqual(digest(token), expected) ? { account: '*' } : undefined),
  };
}

/**
 * Throws unless the request carries a good token, as `Authorization: Bearer` or `X-Auth-Key`.
 *
 * Always 9109: on 10000 wrangler runs a whole `whoami` and, when that fails the same way, prints stack traces.
 */
export function authenticate(request: FastifyRequest, tokens: Tokens): Identity {
  const token = tokenOf(request);
  if (token === undefined) {
    throw new PlatformError(
      'invalidToken',
      'No access token: send one as "Authorization: Bearer <token>" (wrangler: CLOUDFLARE_API_TOKEN)',
    );
  }
  const identity = tokens.verify(token);
  if (identity === undefined) throw new PlatformError('invalidToken', 'Invalid access token');
  return identity;
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
