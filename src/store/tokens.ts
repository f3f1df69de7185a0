/**
 * The Tokens port: which access tokens exist, whom they speak for and what they allow. It never sees a token, only its
 * hash: who reads the store learns nothing that can be presented.
 */
import type { AccountId } from '../ids.ts';
import type { Page } from './registry.ts';

/** What a token may do. `:write` includes `:read` of its kind. */
export const SCOPES = [
  'account:read',
  'workers:read',
  'workers:write',
  'kv:read',
  'kv:write',
  'tail:read',
  /** The operator's token: everything. An account's: its own tokens too. */
  'admin',
] as const;

export type Scope = (typeof SCOPES)[number];

/** `*`: the operator, who may use every account. */
export type TokenOwner = AccountId | '*';

/** Lower-case hex SHA-256 of a token. */
export type TokenHash = string & { readonly __brand: 'TokenHash' };

export interface TokenDraft {
  /** 32 hex digits. Shown in lists and in the audit log, good for nothing else. */
  readonly id: string;
  readonly owner: TokenOwner;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdOn: string;
  readonly expiresOn?: string;
}

export interface TokenRecord extends TokenDraft {
  /** To the minute. */
  readonly lastUsedOn?: string;
}

/** Errors: `PlatformError` with `notFound` for an account or a token. Anything else is ours. Durable once resolved. */
export interface Tokens {
  create(draft: TokenDraft, hash: TokenHash): Promise<TokenRecord>;
  /** Whatever its expiry: that is for the caller to look at. */
  find(hash: TokenHash): Promise<TokenRecord | undefined>;
  /** By name, of one owner or of all. */
  list(options?: Page & { owner?: TokenOwner }): Promise<{ tokens: TokenRecord[]; total: number }>;
  /** `find` knows it no more once this has resolved. With `owner`, only that one's. */
  revoke(id: string, options?: { owner?: TokenOwner }): Promise<TokenRecord>;
  /** Not durable at once, and no error when the token is gone. */
  markUsed(id: string, usedOn: string): Promise<void>;
}
