/** Static assets on their way in: what `wrangler deploy` sends before the version itself. */
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { MAX_ASSET_BYTES, MAX_ASSET_PATH_CHARS, MAX_ASSETS } from '../../limits.ts';
import { bodyStream, checkBodyBy } from '../body.ts';
import { describeIssues } from '../json.ts';
import type { Resource } from '../context.ts';
import { ok, Result } from '../envelope.ts';
import { AccountParams, toWorkerKey, WorkerParams } from '../names.ts';

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024; // 20,000 files with paths of 700 characters
const VALUES_OF_FILE = 4;

const tags = ['Assets'];

// oxlint-disable-next-line no-control-regex -- that is what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/** From the folder's root on, as it is there: not escaped. */
const Path = z
  .string()
  .max(MAX_ASSET_PATH_CHARS)
  .refine(
    (path) => path.startsWith('/') && !CONTROL.test(path) && path.split('/').every((name, i) => isName(name, i)),
    { error: "a path begins with '/' and has no empty segments, no '.' or '..', and no control characters" },
  );
const File = z.object({ hash: z.string().regex(/^[0-9a-f]{32}$/), size: z.int().min(0).max(MAX_ASSET_BYTES) });
const Session = z.object({ manifest: z.record(Path, File).describe(`Up to ${MAX_ASSETS} files`) });

const Begun = z.object({ jwt: z.string(), buckets: z.array(z.array(z.string())) });

export const registerAssets: Resource = (app, { assets }) => {
  app.post(
    '/accounts/:account/workers/scripts/:name/assets-upload-session',
    {
      config: {
        scope: 'workers:write',
        maxBodyBytes: MAX_MANIFEST_BYTES,
        maxJsonValues: MAX_ASSETS * VALUES_OF_FILE,
      },
      validatorCompiler: checkBodyBy(parseSession),
      schema: {
        summary: 'Begins an upload of static assets; the Worker need not exist',
        tags,
        params: WorkerParams,
        body: Session,
        response: { 200: Result(Begun) },
      },
    },
    async ({ params, body }) => {
      const { token, buckets } = await assets.begin(toWorkerKey(params), body.manifest);
      return ok({ jwt: token, buckets });
    },
  );

  app.post(
    '/accounts/:account/workers/assets/upload',
    {
      config: { scope: 'none', body: 'stream', authenticator: assets.authenticator },
      schema: {
        summary: 'Sends files of an upload, by the token that its beginning gave',
        tags,
        consumes: ['multipart/form-data'],
        params: AccountParams,
        querystring: z.object({ base64: z.literal('true') }),
        response: { 201: Result(z.object({ jwt: z.string() })), 202: Result(z.object({})) },
      },
    },
    async (request, reply) => {
      const { account } = request.params;
      const { headers, identity, bodyHold: hold } = request;
      const form = { headers, body: bodyStream(request), hold };
      const jwt = await assets.receive({ account, id: identity.tokenId }, form);
      return jwt === undefined ? reply.code(202).send(ok({})) : reply.code(201).send(ok({ jwt }));
    },
  );
};

/**
 * As the schema says it, up to the first file that is wrong. The schema itself would describe 20,000 of them, and keep
 * everybody else waiting for as long.
 */
function parseSession(body: unknown): z.output<typeof Session> {
  const { manifest } = parse(z.object({ manifest: z.record(z.string(), z.unknown()) }), body);
  const files = Object.entries(manifest).map(
    ([path, file]) => [parse(Path, path, ['manifest', path]), parse(File, file, ['manifest', path])] as const,
  );
  if (files.length > MAX_ASSETS) {
    throw new PlatformError('badRequest', `Bad request body: manifest: ${files.length} files, limit is ${MAX_ASSETS}`);
  }
  return { manifest: Object.fromEntries(files) };
}

function parse<T extends z.ZodType>(schema: T, value: unknown, at: readonly string[] = []): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: [...at, ...path], message }));
  throw new PlatformError('badRequest', `Bad request body: ${describeIssues({ issues })}`);
}

/** A segment of a path; nothing stands before the first slash. */
function isName(name: string, index: number): boolean {
  return index === 0 ? name === '' : name !== '' && name !== '.' && name !== '..';
}
