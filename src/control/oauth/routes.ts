/**
 * `wrangler login`: a person signs in by pasting a token, sees what wrangler will get, and allows it. The pages need no
 * script; forms come from these pages alone (a cookie, and the browser's word where they come from).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import OAuth2Server from '@node-oauth/oauth2-server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '../../errors.ts';
import type { Grant, TokenHash } from '../../store/index.ts';
import type { Identity } from '../auth.ts';
import { describeIssues } from '../json.ts';
import type { ControlApp, ControlContext } from '../context.ts';
import { createRateLimits } from '../rate-limits.ts';
import { hashToken } from '../token-secret.ts';
import { sendPage, toConsentPage, toProblemPage, toSignInPage } from './page.ts';
import { AuthorizeRequest, CLIENT_ID, readForm } from './request.ts';
import { toGranted } from './scopes.ts';
import { createOAuthServer, type SignedIn } from './server.ts';
import { ShortLived } from './short-lived.ts';

const COOKIE = 'isola_sign_in';
const COOKIE_BYTES = 32;
const CONSENT_MS = 300_000; // to read and decide
const MAX_CONSENTS = 10_000;

interface Consent {
  readonly request: AuthorizeRequest;
  readonly signedIn: SignedIn;
  readonly cookie: string;
}

export function registerOAuth(app: ControlApp, context: ControlContext): void {
  const { audit, grants, identifyHash, now, randomUUID, rates, log } = context;
  const limits = createRateLimits(app, rates);
  const server = createOAuthServer({ grants, identifyHash, now, randomUUID });
  const consents = new ShortLived<Consent>({ lifetimeMs: CONSENT_MS, max: MAX_CONSENTS, now });
  const form = { config: { body: 'stream' as const }, schema: { hide: true } };
  app.addHook('onRequest', (request, reply) => limits.checkAddress(request, reply));

  app.get('/oauth/authorize', { schema: { hide: true } }, (request, reply) => {
    const parsed = AuthorizeRequest.safeParse(request.query);
    if (!parsed.success) return sendPage(reply, 400, toProblemPage(`Bad request: ${describeIssues(parsed.error)}`));
    const cookie = cookieOf(request) ?? randomBytes(COOKIE_BYTES).toString('base64url');
    const secure = request.client.scheme === 'https' ? '; Secure' : '';
    reply.header('set-cookie', `${COOKIE}=${cookie}; Path=/oauth; HttpOnly; SameSite=Strict${secure}`);
    return sendPage(reply, 200, toSignInPage({ ...parsed.data, csrf: cookie }), parsed.data);
  });

  app.post('/oauth/authorize', form, async (request, reply) => {
    const fields = await readForm(request);
    const cookie = cookieOf(request);
    if (cookie === undefined || !isSame(cookie, fields['csrf'] ?? '') || !isFromOurPage(request)) {
      return sendPage(reply, 403, toProblemPage('This form did not come from here. Please run wrangler login again.'));
    }
    if (fields['consent'] !== undefined) return decide(fields, cookie, { request, reply });
    const parsed = AuthorizeRequest.safeParse(fields);
    if (!parsed.success) return sendPage(reply, 400, toProblemPage(`Bad request: ${describeIssues(parsed.error)}`));
    const parent = hashToken((fields['token'] ?? '').trim());
    const { identity, problem } = await signIn(parent);
    if (identity === undefined) {
      await limits.noteWrongToken(request);
      return sendPage(reply, 401, toSignInPage({ ...parsed.data, csrf: cookie }, problem), parsed.data);
    }
    const consent = randomBytes(COOKIE_BYTES).toString('base64url');
    consents.put(consent, { request: parsed.data, signedIn: { parent, identity }, cookie });
    const scopes = toGranted(parsed.data.scope, identity);
    const { account, actor: token } = identity;
    const shown = { token, account, scopes, redirectUri: parsed.data.redirect_uri };
    return sendPage(reply, 200, toConsentPage({ consent, csrf: cookie }, shown), parsed.data);
  });

  app.post('/oauth/token', form, async (request, reply) => {
    const answer = new OAuth2Server.Response();
    const asked = toLibraryRequest(request, await readForm(request));
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
    try {
      await server.token(asked, answer);
      return await reply.send(answer.body);
    } catch (error) {
      if (!(error instanceof OAuth2Server.OAuthError) || error.code >= 500) {
        log('error', 'an OAuth token request failed', { requestId: request.id, error });
        return reply.code(500).send({ error: 'server_error' });
      }
      if (error.name === 'invalid_grant') await limits.noteWrongToken(request);
      return reply.code(error.code).send({ error: error.name, error_description: error.message });
    }
  });

  // RFC 7009: the answer is the same whether there was such a token.
  app.post('/oauth/revoke', form, async (request, reply) => {
    const hash = hashToken((await readForm(request))['token'] ?? '');
    const grant = (await grants.findByRefresh(hash)) ?? (await grants.findByAccess(hash));
    if (grant === undefined) await limits.noteWrongToken(request);
    else await revoke(grant, request);
    return reply.code(200).send({});
  });

  /** `wrangler logout`. What the grant stood on may have ended before it: then it is nobody's. */
  async function revoke({ id, parent }: Grant, request: FastifyRequest): Promise<void> {
    const { identity } = await signIn(parent);
    const { account = '*', actor = 'unknown' } = identity ?? {};
    const change = { account, actor, tokenId: id, action: 'oauth.revoke', target: CLIENT_ID };
    const entry = await audit.begin({ ...change, at: now(), ip: request.client.address });
    await grants.revoke(id);
    await audit.end(entry, 200);
  }

  async function signIn(hash: TokenHash): Promise<{ identity?: Identity; problem?: string }> {
    try {
      const identity = await identifyHash(hash);
      return identity === undefined ? { problem: 'This is not a valid access token.' } : { identity };
    } catch (error) {
      if (error instanceof PlatformError) return { problem: error.message };
      throw error;
    }
  }

  async function decide(
    fields: Readonly<Record<string, string>>,
    cookie: string,
    { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  ): Promise<FastifyReply> {
    const consent = consents.take(fields['consent'] ?? '');
    if (consent === undefined || consent.cookie !== cookie) {
      return sendPage(reply, 400, toProblemPage('This took too long. Please run wrangler login again.'));
    }
    const { signedIn } = consent;
    const isAllowed = fields['decision'] === 'allow';
    const { account, actor, tokenId } = signedIn.identity;
    const action = isAllowed ? 'oauth.allow' : 'oauth.deny';
    const entry = await audit.begin({
      at: now(),
      account,
      actor,
      tokenId,
      action,
      target: CLIENT_ID,
      ip: request.client.address,
    });
    const answer = new OAuth2Server.Response();
    const asked = toLibraryRequest(request, { ...consent.request, allowed: String(isAllowed) });
    try {
      await server.authorize(asked, answer, { authenticateHandler: { handle: () => signedIn } });
    } catch (error) {
      if (!(error instanceof OAuth2Server.OAuthError)) throw error; // others are told to the client
    }
    await audit.end(entry, 303);
    return reply.header('cache-control', 'no-store').redirect(String(answer.get('location')), 303);
  }
}

function toLibraryRequest({ method, headers }: FastifyRequest, body: object): OAuth2Server.Request {
  return new OAuth2Server.Request({ method, headers: headers as Record<string, string>, query: {}, body });
}

function cookieOf({ headers }: FastifyRequest): string | undefined {
  const value = new RegExp(`(?:^|; *)${COOKIE}=([\\w-]{43})(?:;|$)`).exec(headers.cookie ?? '')?.[1];
  return value;
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** Browsers say where a form comes from, which no page can change; what is no browser has no cookies to misuse. */
function isFromOurPage({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const { origin, host } = headers;
  return origin === undefined || URL.parse(origin)?.host === host;
}
