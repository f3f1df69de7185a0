import { createHash, randomBytes } from 'node:crypto';
import type { TokenHash } from '../store/index.ts';

const TOKEN_BYTES = 32;

/** A new token. The beginning tells people, and scanners of leaked secrets, what it is. */
export function createTokenSecret(kind: 'isola' | 'isola_refresh' = 'isola'): string {
  return `${kind}_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

/**
 * What the stores know a token by. One round of SHA-256 will do: a token is 256 random bits, so there is nothing to
 * guess that a slow hash would make dearer. And looking a hash up in an index is safe: how long that takes may tell
 * something of stored hashes, but nobody can choose a token by the beginning of its hash.
 */
export function hashToken(secret: string): TokenHash {
  return createHash('sha256').update(secret).digest('hex') as TokenHash;
}
