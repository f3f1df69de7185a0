/** The upstream's answer with another body. What described the old one goes. */
export function withBody(upstream: Response, body: string): Response {
  const headers = new Headers(upstream.headers);
  for (const name of ['content-length', 'content-encoding', 'etag']) headers.delete(name);
  headers.set('x-rewritten-by', 'isola');
  return new Response(body, { status: upstream.status, statusText: upstream.statusText, headers });
}
