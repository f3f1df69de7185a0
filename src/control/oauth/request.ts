/** What a client may ask for, and what a person may send: parsed here, before anything else looks at it. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { bodyStream } from '../body.ts';

/** The one client there is, a public one: `WRANGLER_CLIENT_ID`. */
export const CLIENT_ID = 'wrangler';

const MAX_FORM_BYTES = 16 * 1024;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The public client proves by PKCE that it is who asked, and can only be reached on the person's own machine. */
export const AuthorizeRequest = z.object({
  response_type: z.literal('code'),
  client_id: z.literal(CLIENT_ID),
  redirect_uri: z.string().max(500).refine(isLoopback, 'must be an http address of this machine'),
  scope: z
    .string()
    .max(4_096)
    .regex(/^[\x21-\x7e ]*$/)
    .default(''),
  state: z.string().regex(/^[\x20-\x7e]{1,512}$/),
  code_challenge: z.string().regex(/^[\w-]{43}$/),
  code_challenge_method: z.literal('S256'),
});

export type AuthorizeRequest = z.output<typeof AuthorizeRequest>;

/** The fields of a form. Throws when one comes twice (RFC 6749 §3.1) or it is too long. */
export async function readForm(request: FastifyRequest): Promise<Record<string, string>> {
  const text = await readText(bodyStream(request));
  const fields = new URLSearchParams(text);
  const names = [...fields.keys()];
  if (new Set(names).size < names.length) throw new PlatformError('badRequest', 'Bad form: a field is there twice');
  return Object.fromEntries(fields);
}

async function readText(body: Readable | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > MAX_FORM_BYTES) throw new PlatformError('badRequest', `Bad form: longer than ${MAX_FORM_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 8252 §7.3. */
function isLoopback(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'http:' || !LOOPBACK.has(url.hostname)) return false;
  return url.username === '' && url.password === '' && url.hash === '';
}
