/** Notes by name, in KV: PUT and GET /<name>, DELETE it, GET / for the list. */
import type { KVNamespace } from '@cloudflare/workers-types';

interface Env {
  readonly NOTES: KVNamespace;
}

type Value = Parameters<KVNamespace['put']>[1];

interface About {
  readonly type: string;
  readonly writtenAt: string;
}

const DAY_S = 86_400;

export default {
  async fetch(request: Request, { NOTES }: Env): Promise<Response> {
    const url = new URL(request.url);
    const name = decodeURIComponent(url.pathname.slice(1));
    if (name === '') return request.method === 'GET' ? list(NOTES, url) : new Response(null, { status: 405 });
    switch (request.method) {
      case 'GET': {
        const { value, metadata } = await NOTES.getWithMetadata<About>(name, 'stream');
        if (value === null) return new Response('There is no such note.\n', { status: 404 });
        return new Response(value, { headers: { 'content-type': metadata?.type ?? 'text/plain' } });
      }
      case 'PUT': {
        const type = request.headers.get('content-type') ?? 'text/plain';
        const metadata: About = { type, writtenAt: new Date().toISOString() };
        const days = Number(url.searchParams.get('days') ?? 0);
        await NOTES.put(name, (request.body ?? '') as Value, {
          metadata,
          ...(days > 0 && { expirationTtl: days * DAY_S }),
        });
        return new Response(null, { status: 204 });
      }
      case 'DELETE':
        await NOTES.delete(name);
        return new Response(null, { status: 204 });
      default:
        return new Response(null, { status: 405, headers: { allow: 'GET, PUT, DELETE' } });
    }
  },
};

async function list(notes: Env['NOTES'], url: URL): Promise<Response> {
  const page = await notes.list<About>({
    prefix: url.searchParams.get('prefix'),
    cursor: url.searchParams.get('cursor'),
    limit: 100,
  });
  return Response.json({
    notes: page.keys.map(({ name, expiration, metadata }) => ({ name, expiration, ...metadata })),
    ...(!page.list_complete && { cursor: page.cursor }),
  });
}
