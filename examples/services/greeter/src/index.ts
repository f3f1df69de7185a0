/** Called by the storefront through a service binding; it never leaves the platform. */
export default {
  async fetch(request: Request): Promise<Response> {
    const body: unknown = request.method === 'POST' ? await request.json() : {};
    const name = typeof body === 'object' && body !== null && 'name' in body ? String(body.name) : 'stranger';
    return Response.json({ greeting: `Good day, ${name}` });
  },
};
