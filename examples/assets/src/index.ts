/** Asked about `/api/*` alone; everything else is a file in public/. */
interface Env {
  readonly ASSETS: { fetch(input: Request | URL | string): Promise<Response> };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/api/time') return Response.json({ now: new Date().toISOString() });
    // A page of the site as part of an answer of ours.
    if (url.pathname === '/api/card') {
      const page = await env.ASSETS.fetch(new URL('/about', request.url));
      return Response.json({ about: await page.text() });
    }
    // The same answer that the gateway gives where there is no file.
    return env.ASSETS.fetch(request);
  },
};
