/**
 * The Grants port: what clients such as `wrangler login` were given (OAuth 2.0). A grant stands on the token that somebody
 * signed in with, and is worth nothing without it. Like Tokens, it knows hashes only.
 */
import type { Scope, TokenHash } from './tokens.ts';

export interface Expiring {
  readonly hash: TokenHash;
  readonly expiresOn: string;
}

export interface Grant {
  readonly id: string;
  /** Of the token that was signed in with. */
  readonly parent: TokenHash;
  readonly client: string;
  readonly scopes: readonly Scope[];
  /** What the client asked for, in its words. */
  readonly requested: string;
  readonly createdOn: string;
  readonly access: Expiring;
  readonly refresh: Expiring;
}

/** Durable once resolved. A grant ends with its parent's revocation, in the same transaction. */
export interface Grants {
  create(grant: Grant): Promise<void>;
  /** Whatever its expiry: that is for the caller to look at. */
  findByAccess(hash: TokenHash): Promise<Grant | undefined>;
  findByRefresh(hash: TokenHash): Promise<Grant | undefined>;
  /** The grant whose last but one refresh token this was: somebody else has used it meanwhile. */
  findBySpent(hash: TokenHash): Promise<Grant | undefined>;
  /** New tokens in place of the old ones. False, and nothing changed, when `from` is not the refresh token any more. */
  rotate(id: string, from: TokenHash, to: Pick<Grant, 'access' | 'refresh'>): Promise<boolean>;
  /** No error when there is none. */
  revoke(id: string): Promise<void>;
  /** Forgets those whose refresh token has expired. */
  sweep(now: string): Promise<void>;
}
