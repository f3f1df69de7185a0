import OAuth2Server from '@node-oauth/oauth2-server';
import type { Grants, TokenHash } from '../../store/index.ts';
import { PlatformError } from '../../errors.ts';
import type { Identity } from '../auth.ts';
import { createTokenSecret, hashToken } from '../token-secret.ts';
import { CLIENT_ID } from './request.ts';
import { toGranted } from './scopes.ts';
import { ShortLived } from './short-lived.ts';

const CODE_SECONDS = 60;
const ACCESS_SECONDS = 3_600;
const REFRESH_SECONDS = 30 * 86_400; // from its last renewal
const MAX_CODES = 10_000;
const REUSE_GRACE_MS = 30_000; // two wranglers of one person may renew at the same time

export interface OAuthDeps {
  readonly grants: Grants;
  /** Whom the token of a hash speaks for. Throws `PlatformError` when it is not accepted any more. */
  readonly identifyHash: (hash: TokenHash) => Promise<Identity | undefined>;
  readonly now: () => number;
  readonly randomUUID: () => string;
}

/** Who signed in, as the library carries it from step to step. */
export interface SignedIn {
  readonly parent: TokenHash;
  readonly identity: Identity;
  /** Of a renewal: the grant, and the refresh token that was presented. */
  readonly renews?: { readonly grant: string; readonly from: TokenHash };
}

const CLIENT: OAuth2Server.Client = {
  id: CLIENT_ID,
  redirectUris: ['http://localhost'], // the real check is AuthorizeRequest's
  grants: ['authorization_code', 'refresh_token'],
};

/**
 * The authorization server: codes with PKCE, and renewals, for one public client. Its access tokens stand on the token that
 * was signed in with, and every renewal replaces both of its tokens.
 */
export function createOAuthServer({ grants, identifyHash, now, randomUUID }: OAuthDeps): OAuth2Server {
  const codes = new ShortLived<OAuth2Server.AuthorizationCode>({
    lifetimeMs: CODE_SECONDS * 1_000,
    max: MAX_CODES,
    now,
  });
  const model: OAuth2Server.AuthorizationCodeModel & OAuth2Server.RefreshTokenModel = {
    getClient: async (id) => (id === CLIENT_ID ? CLIENT : undefined),
    validateRedirectUri: async () => true,
    // What the client asked for is kept in its words; what that comes to is worked out when the grant is made.
    validateScope: async (_user, _client, scope) => scope ?? [],
    generateAuthorizationCode: async () => createTokenSecret(),
    generateAccessToken: async () => createTokenSecret(),
    generateRefreshToken: async () => createTokenSecret('isola_refresh'),

    async saveAuthorizationCode(code, client, user) {
      const saved = { ...code, client, user };
      codes.put(code.authorizationCode, saved);
      return saved;
    },
    // Taken at once: of two that come at the same time, one gets it.
    getAuthorizationCode: async (code) => codes.take(code),
    revokeAuthorizationCode: async () => true,

    async saveToken(token, client, user) {
      const { parent, identity, renews } = user as SignedIn;
      const created = now();
      const at = (seconds: number): string => new Date(created + seconds * 1_000).toISOString();
      const access = { hash: hashToken(token.accessToken), expiresOn: at(ACCESS_SECONDS) };
      const refresh = { hash: hashToken(token.refreshToken ?? ''), expiresOn: at(REFRESH_SECONDS) };
      const requested = (token.scope ?? []).join(' ');
      if (renews === undefined) {
        const scopes = toGranted(requested, identity);
        const createdOn = at(0);
        await grants.create({
          id: randomUUID(),
          parent,
          client: client.id,
          scopes,
          requested,
          createdOn,
          access,
          refresh,
        });
        await grants.sweep(createdOn);
      } else if (!(await grants.rotate(renews.grant, renews.from, { access, refresh }))) {
        throw new OAuth2Server.InvalidGrantError('Invalid grant: refresh token is invalid');
      }
      return { ...token, client, user };
    },

    async getRefreshToken(refreshToken) {
      const from = hashToken(refreshToken);
      const grant = await grants.findByRefresh(from);
      if (grant === undefined) {
        await revokeReused(from);
        return undefined;
      }
      const identity = await identifyHash(grant.parent).catch((error: unknown) => {
        if (error instanceof PlatformError) return undefined;
        throw error;
      });
      if (identity === undefined || Date.parse(grant.refresh.expiresOn) <= now()) return undefined;
      const user: SignedIn = { parent: grant.parent, identity, renews: { grant: grant.id, from } };
      const refreshTokenExpiresAt = new Date(grant.refresh.expiresOn);
      return { refreshToken, refreshTokenExpiresAt, scope: grant.requested.split(' '), client: CLIENT, user };
    },
    revokeToken: async () => true, // by the rotation that follows
    getAccessToken: async () => undefined, // the API's own authenticator does that
  };
  return new OAuth2Server({
    model,
    accessTokenLifetime: ACCESS_SECONDS,
    refreshTokenLifetime: REFRESH_SECONDS,
    authorizationCodeLifetime: CODE_SECONDS,
    requireClientAuthentication: { authorization_code: false, refresh_token: false },
  });

  /** A refresh token that was replaced a while ago is somebody else's copy: nobody can tell whose is the right one. */
  async function revokeReused(hash: TokenHash): Promise<void> {
    const grant = await grants.findBySpent(hash);
    if (grant === undefined) return;
    const rotatedAt = Date.parse(grant.access.expiresOn) - ACCESS_SECONDS * 1_000;
    if (now() - rotatedAt > REUSE_GRACE_MS) await grants.revoke(grant.id);
  }
}
