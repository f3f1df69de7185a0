/**
 * Request bodies, parsed by route: wrangler sends JSON as text/plain and other things with no Content-Type at all. So
 * the one parser there is looks at what the route wants.
 */
import type { Readable } from 'node:stream';
import type { FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { PlatformError } from '../errors.ts';
import type { BodyHold } from './body-budget.ts';
import type { ControlApp } from './context.ts';
import { JsonValues } from './json-values.ts';
import { parseJson } from './json.ts';

const MAX_JSON_BYTES = 1024 * 1024;
const MAX_JSON_VALUES = 10_000; // a schema that finds each of them wrong takes 40 ms, in which nobody else is served

/** JSON, whatever the Content-Type says, for all routes but those that ask for the stream. No body counts as `{}`. */
export function addBodyParser(app: ControlApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    const { body, maxBodyBytes = MAX_JSON_BYTES, maxJsonValues = MAX_JSON_VALUES } = request.routeOptions.config;
    // Where nothing is, nothing is read.
    if (body === 'stream' || request.is404) return payload;
    const { bodyHold: hold } = request;
    if (body === 'bytes') return readBytes(payload, { maxBytes: maxBodyBytes, hold });
    return toJson(await readBytes(payload, { maxBytes: maxBodyBytes, maxValues: maxJsonValues, hold }));
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

/** The stream of the body, or `undefined` when there is none. For routes with `body: 'stream'`. */
export function bodyStream(request: Pick<FastifyRequest, 'body'>): Readable | undefined {
  return request.body as Readable | undefined;
}

/** The body. For routes with `body: 'bytes'`. */
export function bodyBytes({ body }: Pick<FastifyRequest, 'body'>): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

/**
 * For a route whose body is checked by its own function instead of by its schema, which the API's document shows. What the
 * function throws is the answer.
 */
export function checkBodyBy(check: (body: unknown) => unknown): FastifySchemaCompiler<unknown> {
  const checked = (body: unknown): { value: unknown } | { error: Error } => {
    try {
      return { value: check(body) };
    } catch (error) {
      return { error: error as Error };
    }
  };
  return (part) =>
    part.httpPart === 'body' ? checked : validatorCompiler(part as Parameters<typeof validatorCompiler>[0]);
}

export interface BodyLimits {
  readonly maxBytes: number;
  /** Of JSON. */
  readonly maxValues?: number;
  readonly hold: BodyHold | undefined;
  readonly tooLong?: (maxBytes: number) => PlatformError;
}

/** Reads it whole. What is refused is read to its end and dropped, so that the client gets to read the answer. */
export function readBytes(
  body: Readable,
  { maxBytes, maxValues, hold, tooLong = (bytes) => bad(`longer than ${bytes} bytes`) }: BodyLimits,
): Promise<Buffer> {
  const values = new JsonValues();
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      try {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) throw tooLong(maxBytes);
        hold?.add(chunk.byteLength);
        chunks.push(chunk);
        if (maxValues === undefined) return;
        values.add(chunk);
        if (values.count > maxValues) throw bad(`it has more than ${maxValues} values`);
      } catch (error) {
        body.off('data', take);
        chunks.length = 0;
        body.resume();
        reject(error);
      }
    };
    const onEarlyEnd = (): void => reject(bad('it ended early'));
    body.on('data', take);
    body.once('end', () => resolve(Buffer.concat(chunks)));
    body.once('error', onEarlyEnd);
    body.once('close', onEarlyEnd);
  });
}

function bad(reason: string): PlatformError {
  return new PlatformError('badRequest', `Bad request body: ${reason}`);
}
