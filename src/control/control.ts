import Fastify, { type FastifyInstance } from 'fastify';
import { PlatformError } from '../errors.ts';
import { registerAccounts } from './accounts.ts';
import { authenticate } from './auth.ts';
import { registerBulk } from './bulk.ts';
import type { ControlContext, ControlDeps, Resource } from './context.ts';
import { registerDeployments } from './deployments.ts';
import { ok, sendError, sendNotFound } from './envelope.ts';
import { parseAccountId } from './names.ts';
import { registerProducts } from './products.ts';
import { Releases } from './releases.ts';
import { registerScheduled } from './scheduled.ts';
import { registerScripts } from './scripts.ts';
import { registerServices } from './services.ts';
import { registerSettings } from './settings.ts';
import { registerSubdomain } from './subdomain.ts';
import { registerVersions } from './versions.ts';
import { registerWhoami } from './whoami.ts';

const PREFIX = '/client/v4';
const REQUEST_TIMEOUT_MS = 300_000; // for the whole request to arrive: an upload over a slow line
const MAX_PARAM_CHARS = 512; // longer than any name, so that a name that is too long is refused as such

const RESOURCES: readonly Resource[] = [
  registerWhoami,
  registerServices,
  registerScripts,
  registerVersions,
  registerDeployments,
  registerSettings,
  registerSubdomain,
  registerScheduled,
  registerAccounts,
  registerBulk,
  registerProducts, // last: it fills the paths that the others left
];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route makes the account of its path, which need not exist. */
    mayBeNewAccount?: boolean;
  }
}

/**
 * The control API, not listening yet. What it answers is what stock wrangler expects of `CLOUDFLARE_API_BASE_URL`
 * (`http://host:port/client/v4`), plus isola's own routes under `…/isola/`.
 *
 * A deployment serves once its answer has been sent. `close()` lets running requests end.
 */
export function createControl(deps: ControlDeps): FastifyInstance {
  const context: ControlContext = { ...deps, releases: new Releases(deps) };
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    genReqId: deps.randomUUID,
    // A base URL that ends in a slash makes wrangler ask for //user/tokens/verify, or /client/v4//user/….
    rewriteUrl: ({ url = '/' }) => collapseSlashes(url),
    frameworkErrors: (error, request, reply) => sendError(error, { request, reply, log: deps.log }) as unknown as void,
  });
  // No parser but this: bodies reach the handlers as streams, whatever their Content-Type says (see body.ts).
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, body, done) => done(null, body));

  app.setErrorHandler((error, request, reply) => sendError(error, { request, reply, log: deps.log }));
  app.setNotFoundHandler(sendNotFound);

  app.get('/healthz', () => ok({ status: 'ok' }));
  // In a plug-in of its own, so that its hooks guard its routes and its 404s only.
  app.register(
    (api, _options, done) => {
      registerApi(api, context);
      done();
    },
    { prefix: PREFIX },
  );
  return app;
}

function registerApi(api: FastifyInstance, context: ControlContext): void {
  const { registry, tokens } = context;
  api.addHook('onRequest', async (request) => {
    authenticate(request, tokens);
  });
  api.addHook('preHandler', async (request) => {
    const { account } = request.params as { account?: string };
    if (account === undefined || request.routeOptions.config.mayBeNewAccount === true) return;
    const id = parseAccountId(account);
    if ((await registry.account(id)) === undefined) {
      throw new PlatformError('notFound', `There is no account '${id}'`);
    }
  });
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
