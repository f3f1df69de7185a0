import { PlatformError } from '../errors.ts';
import type { Grant, Grants, Registry, TokenHash, TokenRecord, Tokens } from '../store/index.ts';
import { allows, type Authenticator, type Identity } from './auth.ts';
import { hashToken } from './token-secret.ts';

const MARK_USED_EVERY_MS = 60_000; // how exact "last used" is, and how seldom it is written

export interface TokenAuthenticatorDeps {
  /** The operator's own token, which is in no store. */
  readonly operatorToken: string;
  readonly tokens: Tokens;
  readonly grants: Grants;
  readonly registry: Pick<Registry, 'account'>;
  /** ms since 1970. */
  readonly now: () => number;
}

/**
 * Knows all tokens: the operator's own, those in the store, and those that `wrangler login` got for one of them. Looks at
 * the store each time, so that a revocation holds from the next request on.
 */
export class TokenAuthenticator implements Authenticator {
  readonly #deps: TokenAuthenticatorDeps;
  readonly #operatorHash: TokenHash;

  constructor(deps: TokenAuthenticatorDeps) {
    this.#deps = deps;
    this.#operatorHash = hashToken(deps.operatorToken);
  }

  async identify(token: string): Promise<Identity | undefined> {
    const hash = hashToken(token);
    const identity = await this.identifyHash(hash);
    if (identity !== undefined) return identity;
    const grant = await this.#deps.grants.findByAccess(hash);
    return grant === undefined ? undefined : await this.#ofGrant(grant);
  }

  /** Whom the token of this hash speaks for. Not those of grants, so that nothing is ever granted by what was. */
  async identifyHash(hash: TokenHash): Promise<Identity | undefined> {
    if (hash === this.#operatorHash) {
      return { actor: 'operator', account: '*', scopes: new Set(['admin']), tokenId: 'operator' };
    }
    const record = await this.#deps.tokens.find(hash);
    if (record === undefined) return undefined;
    await this.#check(record);
    this.#noteUse(record);
    return { actor: record.name, account: record.owner, scopes: new Set(record.scopes), tokenId: record.id };
  }

  /** As much as its parent may, of what was granted. */
  async #ofGrant({ id, parent, client, scopes, access }: Grant): Promise<Identity | undefined> {
    this.#refuseExpired(access.expiresOn);
    const identity = await this.identifyHash(parent);
    if (identity === undefined) return undefined;
    return {
      ...identity,
      actor: `${identity.actor} (${client})`,
      tokenId: id,
      scopes: new Set(scopes.filter((scope) => allows(identity, scope))),
    };
  }

  async #check({ owner, expiresOn }: TokenRecord): Promise<void> {
    if (expiresOn !== undefined) this.#refuseExpired(expiresOn);
    if (owner === '*') return;
    const account = await this.#deps.registry.account(owner);
    if (account?.status !== 'suspended') return;
    throw new PlatformError('accountSuspended', `Account '${owner}' is suspended; its tokens are not accepted`);
  }

  #refuseExpired(expiresOn: string): void {
    if (Date.parse(expiresOn) > this.#deps.now()) return;
    throw new PlatformError('invalidToken', `This access token expired at ${expiresOn}`);
  }

  #noteUse({ id, lastUsedOn }: TokenRecord): void {
    const now = this.#deps.now();
    if (lastUsedOn !== undefined && now - Date.parse(lastUsedOn) < MARK_USED_EVERY_MS) return;
    // Not waited for: it is written down later, together with others.
    void this.#deps.tokens.markUsed(id, new Date(now).toISOString());
  }
}
