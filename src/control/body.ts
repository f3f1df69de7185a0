/**
 * Request bodies, parsed by route: wrangler sends JSON as text/plain and other things with no Content-Type at all, so
 * Fastify's parsers are off and every handler gets the raw stream.
 */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { PlatformError } from '../errors.ts';

const MAX_JSON_BYTES = 1024 * 1024;
const MAX_JSON_DEPTH = 100;
const MAX_ISSUES_CHARS = 500;

/** Reads a JSON body and parses it; no body counts as `{}`. Throws `badRequest`. */
export async function readJson<T extends z.ZodType>(request: FastifyRequest, schema: T): Promise<z.output<T>> {
  const text = (await readBytes(request, MAX_JSON_BYTES)).toString('utf8');
  let json: unknown;
  try {
    json = text.trim() === '' ? {} : parseJson(text);
  } catch (error) {
    throw new PlatformError('badRequest', `Bad request body: ${(error as Error).message}`, { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PlatformError('badRequest', `Bad request body: ${describeIssues(parsed.error)}`);
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

/** The stream of the body, or `undefined` when there is none. */
export function bodyStream(request: FastifyRequest): Readable | undefined {
  return request.body as Readable | undefined;
}

/** Problems as `path: what is wrong`, the first few of them. */
export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
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

async function readBytes(request: FastifyRequest, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of bodyStream(request) ?? []) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).byteLength;
    if (bytes > maxBytes) {
      throw new PlatformError('badRequest', `Bad request body: longer than ${maxBytes} bytes`);
    }
  }
  return Buffer.concat(chunks);
}
