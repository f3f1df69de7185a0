import { HttpError } from './errors.ts';
import type { Env } from './index.ts';
import type { Context } from './router.ts';

export function showInfo({ env }: Context<Env>): Response {
  return Response.json({ name: env.API_NAME, maxTextLength: env.MAX_TEXT_LENGTH });
}

export function convertTemperature({ params }: Context<Env>): Response {
  const celsius = Number(params['celsius']);
  if (!Number.isFinite(celsius)) throw new HttpError(400, `Not a number: ${params['celsius']}`);
  return Response.json({ celsius, fahrenheit: (celsius * 9) / 5 + 32, kelvin: celsius + 273.15 });
}

export function echoHeaders({ request }: Context<Env>): Response {
  return Response.json(Object.fromEntries(request.headers));
}

export async function countWords({ request, env }: Context<Env>): Promise<Response> {
  const body: unknown = await request.json().catch(() => undefined);
  const text = typeof body === 'object' && body !== null && 'text' in body ? body.text : undefined;
  if (typeof text !== 'string') throw new HttpError(400, 'Send JSON: {"text": "…"}');
  if (text.length > env.MAX_TEXT_LENGTH) throw new HttpError(413, `At most ${env.MAX_TEXT_LENGTH} characters`);
  const counts: Record<string, number> = {};
  for (const [word] of text.toLowerCase().matchAll(/\p{L}+/gu)) counts[word] = (counts[word] ?? 0) + 1;
  return Response.json({ counts });
}
