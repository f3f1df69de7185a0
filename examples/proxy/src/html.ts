import { withBody } from './with-body.ts';

/** Links to the upstream stay on the proxy, and the page says that it was rewritten. */
export async function rewriteHtml(upstream: Response, { from, to }: { from: string; to: string }): Promise<Response> {
  const html = await upstream.text();
  const banner = '<p role="note">Rewritten on the way by isola</p>';
  const rewritten = html.replaceAll(new URL(from).origin, to).replace(/<body[^>]*>/i, (tag) => `${tag}${banner}`);
  return withBody(upstream, rewritten);
}
