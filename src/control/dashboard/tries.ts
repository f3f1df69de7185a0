/**
 * Trying a Worker from the dashboard. A browser there may not ask the Worker itself: that is another origin. So the
 * request goes through here, to the gateway, under the Worker's own host name: whoever may write the Worker can be a
 * visitor of it, and reaches nothing else.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { TRY_REQUEST_CHARS } from '../../limits.ts';
import type { Resource } from '../context.ts';
import { ok, Result } from '../envelope.ts';
import { parseVersionId, toWorkerKey, WorkerParams } from '../names.ts';
import { workerNotFound } from '../releases.ts';
import { visit } from './visit.ts';

const MAX_HEADERS = 50;
const MAX_HEADER_CHARS = 8_192;
const MAX_PATH_CHARS = 8_192;
const MAX_BODY_BYTES = 2 * 1024 * 1024; // as JSON, in which a character may take six bytes

/** The connection's own, and what a proxy would say about a client. */
const FORBIDDEN =
  /^(?:host|connection|content-length|expect|forwarded|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|x-forwarded-.*)$/i;

const Header = z.tuple([
  z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]{1,200}$/, 'not a header name')
    .refine((name) => !FORBIDDEN.test(name), { error: 'the connection has headers of this name itself' }),
  z
    .string()
    .max(MAX_HEADER_CHARS)
    .regex(/^[\t\u0020-\u007e\u0080-\u00ff]*$/, 'not a header value'),
]);
const Try = z.strictObject({
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET'),
  path: z
    .string()
    .max(MAX_PATH_CHARS)
    .regex(/^\/[\u0021-\u007e]*$/, 'a path begins with / and has no spaces')
    .default('/'),
  headers: z.array(Header).max(MAX_HEADERS).default([]),
  body: z.string().max(TRY_REQUEST_CHARS).optional(),
  /** One that need not be deployed, by its preview. */
  version_id: z.string().max(512).optional(),
});
const Answer = z.object({
  url: z.string(),
  status: z.int(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string(),
  encoding: z.enum(['utf-8', 'base64']),
  truncated: z.boolean(),
  head_ms: z.number(),
  total_ms: z.number(),
});

export const registerTries: Resource = (app, { registry, gatewayAddress, baseDomain, publicScheme }) => {
  app.post(
    '/accounts/:account/workers/scripts/:name/isola/try',
    {
      config: { scope: 'workers:write', audit: 'worker.try', maxBodyBytes: MAX_BODY_BYTES },
      schema: {
        summary: 'Sends a request to a Worker, or to one version of it, as a visitor would',
        tags: ['Workers'],
        params: WorkerParams,
        body: Try,
        response: { 200: Result(Answer) },
      },
    },
    async ({ params, body: { version_id, method, path, headers, body } }) => {
      const { account, worker } = toWorkerKey(params);
      const record = await registry.worker(account, worker);
      if (record === undefined) throw workerNotFound({ account, worker });
      const version = version_id === undefined ? undefined : parseVersionId(version_id);
      if (version !== undefined && (await registry.version(account, worker, version)) === undefined) {
        throw new PlatformError('versionNotFound', `Worker '${worker}' has no version ${version}`);
      }
      if (version !== undefined && !record.settings.previewsEnabled) {
        throw new PlatformError(
          'badRequest',
          `Cannot try one version: the preview URLs of '${worker}' are switched off`,
        );
      }
      const label = version === undefined ? worker : `${version.slice(0, 8)}-${worker}`;
      const host = `${label}.${account}.${baseDomain}`;
      const answer = await visit(gatewayAddress(), { host, method, path, headers, body });
      const isText = isUtf8(answer.body);
      return ok({
        url: `${publicScheme}://${host}${path}`,
        status: answer.status,
        headers: answer.headers,
        body: answer.body.toString(isText ? 'utf8' : 'base64'),
        encoding: isText ? 'utf-8' : 'base64',
        truncated: answer.truncated,
        head_ms: answer.headMs,
        total_ms: answer.totalMs,
      });
    },
  );
};
