import { withBody } from './with-body.ts';

const SECRET_FIELDS = new Set(['password', 'token', 'secret']);

/** Takes secrets out, at any depth. */
export async function rewriteJson(upstream: Response): Promise<Response> {
  const text = await upstream.text();
  const redacted = JSON.stringify(JSON.parse(text, (key, value: unknown) => (SECRET_FIELDS.has(key) ? '***' : value)));
  return withBody(upstream, redacted);
}
