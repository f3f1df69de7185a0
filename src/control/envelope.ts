/** The envelope that every answer of the API wears, and errors turned into it. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERROR_CODES, PlatformError } from '../errors.ts';
import { describeIssues } from './json.ts';
import type { ControlLog } from './context.ts';
import { toErrorUrl } from './error-pages.ts';

/** What Node's parser gives up at, with the status for it. */
const MALFORMED: ReadonlyMap<string | undefined, readonly [status: number, message: string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'The headers of this request are too large']],
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'This request took too long to arrive']],
]);

export interface Envelope {
  readonly success: true;
  readonly errors: readonly [];
  readonly messages: readonly [];
  readonly result: unknown;
  readonly result_info?: PageInfo | CursorInfo;
}

/** wrangler asks for the next page while `page * per_page < total_count`, so `page` must be the one it asked for. */
export interface PageInfo {
  readonly page: number;
  readonly per_page: number;
  readonly count: number;
  readonly total_count: number;
}

/** wrangler asks again with the cursor until there is none. */
export interface CursorInfo {
  readonly count: number;
  /** '' when there are no more. */
  readonly cursor: string;
}

export function ok(result: unknown, pageInfo?: PageInfo | CursorInfo): Envelope {
  const envelope = { success: true, errors: [], messages: [], result } as const;
  return pageInfo === undefined ? envelope : { ...envelope, result_info: pageInfo };
}

const PageInfoSchema = z.object({
  page: z.int(),
  per_page: z.int(),
  count: z.int(),
  total_count: z.int(),
});

const CursorInfoSchema = z.object({ count: z.int(), cursor: z.string() });

/** What a route answers with 200: for the API's document, and for tests, which hold answers against it. */
export function Result(result: z.ZodType, { paged = false }: { paged?: boolean | 'cursor' } = {}): z.ZodType<Envelope> {
  const envelope = z.object({ success: z.literal(true), errors: z.tuple([]), messages: z.tuple([]), result });
  const schema: z.ZodType =
    paged === false
      ? envelope
      : envelope.extend({ result_info: paged === 'cursor' ? CursorInfoSchema : PageInfoSchema });
  return schema as z.ZodType<Envelope>;
}

/** Answers with the caller's error, or with a 500 that tells nothing but the request's id; the log gets the rest. */
export function sendError(
  error: unknown,
  { request, reply, log }: { request: FastifyRequest; reply: FastifyReply; log: ControlLog },
): FastifyReply {
  if (error instanceof PlatformError) {
    if (error.kind === 'rateLimited' && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
    return send(reply, error.status, error.code, error.message);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    return send(reply, ERROR_CODES.badRequest.status, ERROR_CODES.badRequest.code, describeInvalid(error));
  }
  const status = (error as FastifyError).statusCode ?? 500;
  // Fastify's own refusals (malformed URL, header, media type) are safe to show.
  if (status >= 400 && status < 500) {
    return send(reply, status, ERROR_CODES.badRequest.code, (error as Error).message.slice(0, 500));
  }
  log('error', 'control request failed', {
    requestId: request.id,
    method: request.method,
    url: request.url,
    error,
  });
  const { status: internalStatus, code } = ERROR_CODES.internal;
  return send(reply, internalStatus, code, `Internal error; request id ${request.id}`);
}

/** Names in a path explain themselves; of other input it is said where it is wrong. */
function describeInvalid({ validation, validationContext }: FastifyError): string {
  const issues = (validation ?? []).map(({ instancePath, message = '' }) => ({
    path: instancePath.split('/').filter((key) => key !== ''),
    message,
  }));
  if (validationContext === 'params') return (issues[0]?.message ?? 'Bad path').slice(0, 500);
  const what = validationContext === 'querystring' ? 'query' : 'request body';
  return `Bad ${what}: ${describeIssues({ issues })}`;
}

/** Answers what is no HTTP, or has a head that is too large: there is no request then. Closes the connection. */
export function answerMalformed(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, message] = MALFORMED.get(error.code) ?? [400, 'This is not an HTTP/1.1 request'];
  const body = JSON.stringify(toErrorBody({ code: ERROR_CODES.badRequest.code, message }));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0]!.slice(0, 500);
  const { status, code } = ERROR_CODES.notFound;
  return send(reply, status, code, `No such resource: ${request.method} ${path}`);
}

function send(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
  const url = toErrorUrl(reply.request, code);
  return reply.code(status).send(toErrorBody({ code, message, ...(url !== undefined && { documentation_url: url }) }));
}

function toErrorBody(error: { code: number; message: string; documentation_url?: string }): object {
  return { success: false, errors: [error], messages: [], result: null };
}
