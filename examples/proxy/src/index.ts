import { rewriteHtml } from './html.ts';
import { rewriteJson } from './json.ts';

export interface Env {
  /** Origin of the site that is shown, e.g. `https://example.com`. */
  readonly UPSTREAM: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const target = new URL(url.pathname + url.search, env.UPSTREAM);
    const upstream = await fetch(new Request(target, request), { redirect: 'manual' }).catch(() => undefined);
    if (upstream === undefined) return Response.json({ error: 'The upstream does not answer' }, { status: 502 });

    const type = upstream.headers.get('content-type') ?? '';
    if (type.includes('text/html')) return await rewriteHtml(upstream, { from: env.UPSTREAM, to: url.origin });
    if (type.includes('application/json')) return await rewriteJson(upstream);
    return upstream; // everything else passes through as a stream
  },
};
