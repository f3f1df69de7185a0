/** The dashboard's pages at `/dashboard/` of the control port. They need no token: what they show comes from the API. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PlatformError } from '../../errors.ts';
import type { ControlApp, ControlDeps } from '../context.ts';
import { readSiteFiles, type SiteFile } from './files.ts';

const BASE = '/dashboard';

/**
 * The pages hold the operator's token and show what strangers wrote. Nothing but their own files runs in them, none of
 * them can be framed, and they talk to this server only.
 */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'", // the WebSocket of a tail is this origin, too
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>isola</title>
<h1>The dashboard is not built</h1>
<p>The platform runs without it. Its log says what went wrong with the build; the next start tries again.</p></html>`;

export function registerDashboard(app: ControlApp, { dashboardDir }: Pick<ControlDeps, 'dashboardDir'>): void {
  const schema = { hide: true } as const;
  const files = dashboardDir === undefined ? undefined : readSiteFiles(dashboardDir);
  app.get('/', { schema }, (_request, reply) => reply.redirect(`${BASE}/`));
  app.get(BASE, { schema }, (_request, reply) => reply.redirect(`${BASE}/`));
  app.get<{ Params: { '*': string } }>(`${BASE}/*`, { schema }, (request, reply) => {
    const path = request.params['*'];
    for (const [name, value] of Object.entries(HEADERS)) reply.header(name, value);
    if (files === undefined) return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT);
    if (!path.startsWith('assets/')) return sendFile(request, reply, files.index, 'no-cache');
    const file = files.assets.get(path.slice('assets/'.length));
    if (file === undefined) throw new PlatformError('notFound', 'The dashboard has no such file');
    return sendFile(request, reply, file, 'public, max-age=31536000, immutable');
  });
}

function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, plain, gzip, etag }: SiteFile,
  cacheControl: string,
): FastifyReply {
  reply.header('cache-control', cacheControl).header('vary', 'accept-encoding').header('etag', etag).type(type);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(plain);
  return reply.header('content-encoding', 'gzip').send(gzip);
}
