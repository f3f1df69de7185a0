/**
 * Request bodies, parsed by route: wrangler sends JSON as text/plain and other things with no Content-Type at all. So
 * the one parser there is looks at what the route wants.
 */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { ControlApp } from './context.ts';

const MAX_JSON_BYTES = 1024 * 1024;
const MAX_JSON_DEPTH = 100;
const MAX_ISSUES_CHARS = 500;

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** JSON, whatever the Content-Type says, for all routes but those that ask for the stream. No body counts as `{}`. */
export function addBodyParser(app: ControlApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const { body, maxBodyBytes = MAX_JSON_BYTES } = request.routeOptions.config;
    // Where nothing is, nothing is read.
    return body === 'stream' || request.is404 ? payload : toJson(await readBytes(payload, maxBodyBytes));
  });
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {};
  });
}

function toJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return text.trim() === '' ? undefined : parseJson(text);
  } catch (error) {
    throw new PlatformError('badRequest', `Bad request body: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * `JSON.parse` for input from outside. Throws a plain `Error` that is safe to show when it is no JSON or nested deeper
 * than 100: `JSON.stringify`, here or in whoever gets the value later, overflows the stack at some thousands.
 */
export function parseJson(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  // Each level takes two characters at least: most texts need no look.
  if (text.length > 2 * MAX_JSON_DEPTH && isDeeperThan(json, MAX_JSON_DEPTH)) {
    throw new Error(`its JSON is nested deeper than ${MAX_JSON_DEPTH}`);
  }
  return json;
}

/** The stream of the body, or `undefined` when there is none. For routes with `body: 'stream'`. */
export function bodyStream(request: Pick<FastifyRequest, 'body'>): Readable | undefined {
  return request.body as Readable | undefined;
}

/** Problems as `path: what is wrong`, the first few of them. */
export function describeIssues({ issues }: { readonly issues: readonly Issue[] }): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ')
    .slice(0, MAX_ISSUES_CHARS);
}

function isDeeperThan(json: unknown, maxDepth: number): boolean {
  let level = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return false;
}

async function readBytes(body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
    if (bytes > maxBytes) throw new PlatformError('badRequest', `Bad request body: longer than ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks);
}
