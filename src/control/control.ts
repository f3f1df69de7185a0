import Fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { acceptTails } from '../tail/index.ts';
import { registerAccountSettings } from './account-settings.ts';
import { registerAccounts } from './accounts.ts';
import { registerAudit } from './audit-hook.ts';
import { registerAssets } from './assets/index.ts';
import { registerAuditLog } from './audit.ts';
import { authenticate, authorize } from './auth.ts';
import { addBodyParser } from './body.ts';
import { registerBulk } from './bulk.ts';
import { registerCells } from './cells.ts';
import { registerClient } from './client.ts';
import type { ControlApp, ControlContext, ControlDeps, Resource } from './context.ts';
import { registerContent } from './content.ts';
import { registerCost } from './cost.ts';
import { registerDashboard, registerSession, registerTries } from './dashboard/index.ts';
import { registerDeployments } from './deployments.ts';
import { registerDomains } from './domains.ts';
import { answerMalformed, ok, Result, sendError, sendNotFound } from './envelope.ts';
import { registerErrorPages } from './error-pages.ts';
import { registerKvEntries, registerKvNamespaces } from './kv/index.ts';
import { registerHeap } from './heap.ts';
import { registerProfile } from './profile.ts';
import { registerLogs } from './logs.ts';
import { registerMetrics } from './metrics.ts';
import { HostRuleControl } from './host-rules.ts';
import { param, parseAccountId } from './names.ts';
import { registerOAuth } from './oauth/routes.ts';
import { registerOpenApi } from './openapi.ts';
import { registerProducts } from './products.ts';
import { registerQuota } from './quota.ts';
import { createRateLimits, registerRateLimit } from './rate-limits.ts';
import { Releases } from './releases.ts';
import { registerRotation } from './rotation.ts';
import { registerRoutes } from './routes.ts';
import { registerScheduled } from './scheduled.ts';
import { registerSchedules } from './schedules.ts';
import { registerScripts } from './scripts.ts';
import { registerSecrets } from './secrets.ts';
import { registerServices } from './services.ts';
import { registerSettings } from './settings.ts';
import { registerSubdomain } from './subdomain.ts';
import { registerTails } from './tails.ts';
import { registerTokens } from './tokens.ts';
import { registerTlsAsk } from './tls-ask.ts';
import { registerUsage } from './usage.ts';
import { registerVersions } from './versions.ts';
import { registerWhoami } from './whoami.ts';
import { registerZones } from './zones.ts';

const PREFIX = '/client/v4';
const REQUEST_TIMEOUT_MS = 300_000; // for the whole request to arrive: an upload over a slow line
const MAX_PARAM_CHARS = 512; // longer than any name, so that a name that is too long is refused as such

const RESOURCES: readonly Resource[] = [
  registerWhoami,
  registerServices,
  registerScripts,
  registerVersions,
  registerAssets,
  registerContent,
  registerDeployments,
  registerSettings,
  registerSecrets,
  registerRotation,
  registerSubdomain,
  registerRoutes,
  registerDomains,
  registerZones,
  registerScheduled,
  registerSchedules,
  registerTails,
  registerLogs,
  registerHeap,
  registerProfile,
  registerKvNamespaces,
  registerKvEntries,
  registerAccounts,
  registerAccountSettings,
  registerTokens,
  registerAuditLog,
  registerCells,
  registerUsage,
  registerQuota,
  registerCost,
  registerBulk,
  registerSession,
  registerTries,
  registerProducts, // last: it fills the paths that the others left
];

/**
 * The control API, not listening yet. What it answers is what stock wrangler expects of `CLOUDFLARE_API_BASE_URL`
 * (`http://host:port/client/v4`), plus isola's own routes under `…/isola/`.
 *
 * A deployment serves once its answer has been sent. `close()` lets running requests end.
 */
export function createControl(deps: ControlDeps): ControlApp {
  const releases = new Releases(deps);
  const context: ControlContext = { ...deps, releases, rules: new HostRuleControl(deps, releases) };
  const app = createApp(deps);
  registerClient(app, deps.proxies);
  acceptTails(app.server, deps.tails);
  registerOpenApi(app);
  registerRateLimit(app);
  // As plug-ins, which begin once those above are loaded; the API in one of its own, so that its hooks guard its routes
  // and its 404s only.
  app.register(async (site) => registerPublic(site.withTypeProvider<ZodTypeProvider>(), context));
  app.register(async (site) => registerMetrics(site.withTypeProvider<ZodTypeProvider>(), context));
  app.register(async (site) => registerOAuth(site.withTypeProvider<ZodTypeProvider>(), context));
  app.register(async (api) => registerApi(api.withTypeProvider<ZodTypeProvider>(), context), { prefix: PREFIX });
  return app;
}

function createApp({ randomUUID, log }: ControlDeps): ControlApp {
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    genReqId: randomUUID,
    // A base URL that ends in a slash makes wrangler ask for //user/tokens/verify, or /client/v4//user/….
    rewriteUrl: ({ url = '/' }) => collapseSlashes(url),
    clientErrorHandler: answerMalformed,
    frameworkErrors: (error, request, reply) => sendError(error, { request, reply, log }) as unknown as void,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  // Answers are ours: their schemas describe them, and tests hold them against each other.
  app.setSerializerCompiler(() => JSON.stringify);
  addBodyParser(app);
  closeAnswered(app);
  app.setErrorHandler((error, request, reply) => sendError(error, { request, reply, log }));
  app.setNotFoundHandler(sendNotFound);
  return app;
}

/** An answer that was under way as the server closed ends its connection, which would be kept for a minute else. */
function closeAnswered(app: ControlApp): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onSend', async (_, reply) => {
    if (isClosing) reply.header('connection', 'close');
  });
}

/** What needs no token. */
function registerPublic(app: ControlApp, context: ControlContext): void {
  registerTlsAsk(app, context);
  app.get(
    '/healthz',
    { schema: { summary: 'Whether it answers', response: { 200: Result(z.object({ status: z.literal('ok') })) } } },
    () => ok({ status: 'ok' }),
  );
  registerErrorPages(app);
  registerDashboard(app, context);
}

function registerApi(api: ControlApp, context: ControlContext): void {
  const { registry, authenticator, rates, bodies } = context;
  const limits = createRateLimits(api, rates);
  api.addHook('onRoute', ({ config, url }) => {
    if (config?.scope === undefined) throw new Error(`Route ${url} has no scope`);
  });
  // Before the body is read.
  api.addHook('onRequest', async (request, reply) => {
    await limits.checkAddress(request, reply);
    try {
      request.identity = await authenticate(request, request.routeOptions.config.authenticator ?? authenticator);
    } catch (error) {
      if (error instanceof PlatformError && error.kind === 'invalidToken') await limits.noteWrongToken(request);
      throw error;
    }
    await limits.checkToken(request, reply);
    authorize(request);
    request.bodyHold = bodies.open(request.identity.account);
    const account = param(request, 'account');
    if (account === '' || request.routeOptions.config.mayBeNewAccount === true) return;
    const id = parseAccountId(account);
    if ((await registry.account(id)) === undefined) {
      throw new PlatformError('notFound', `There is no account '${id}'`);
    }
  });
  // The handler has ended, also when the client has gone.
  api.addHook('onSend', async ({ bodyHold }, _reply, payload) => {
    bodyHold?.[Symbol.dispose]();
    return payload;
  });
  registerAudit(api, context);
  api.setNotFoundHandler(sendNotFound);
  for (const register of RESOURCES) register(api, context);
}

function collapseSlashes(url: string): string {
  const queryAt = url.indexOf('?');
  const path = queryAt === -1 ? url : url.slice(0, queryAt);
  if (!path.includes('//')) return url;
  const collapsed = path.replace(/^\/{2,}/, '/').replace(`${PREFIX}//`, `${PREFIX}/`);
  return queryAt === -1 ? collapsed : collapsed + url.slice(queryAt);
}
