/** A page for each error code, which answers link to: what it means and what to do, from docs/errors.md. */
import { readFileSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { ERROR_CODES, PlatformError } from '../errors.ts';
import type { Client } from './client.ts';
import type { ControlApp } from './context.ts';

/** The list of codes, as people read it. Beside the source, and in the package. */
const DOCUMENT = new URL('../../docs/errors.md', import.meta.url);
const ROW = /^\| `(\w+)` *\| +(\d+) \| +(\d+) \| (.+?) +\| (.+?) +\|$/gm;

export function registerErrorPages(app: ControlApp): void {
  const pages = readPages();
  app.get<{ Params: { code: string } }>('/errors/:code', { schema: { hide: true } }, ({ params }, reply) => {
    const page = pages.get(params.code);
    if (page === undefined) throw new PlatformError('notFound', `There is no error with this code`);
    return reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .type('text/html; charset=utf-8')
      .send(page);
  });
}

/** Where the page of an error is. The host is the one that the caller asked, so the link works for him. */
export function toErrorUrl({ client, headers }: FastifyRequest, code: number): string | undefined {
  const { host } = headers;
  if (host === undefined || !/^[\w.:[\]-]{1,255}$/.test(host)) return undefined;
  // A request whose URL is malformed is one of Fastify's own, without what is added here.
  const { scheme = 'http' } = (client as Client | undefined) ?? {};
  return `${scheme}://${host}/errors/${code}`;
}

function readPages(): Map<string, string> {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(ROW);
  const pages = [...rows].map(([, name = '', code = '', status = '', meaning = '', remedy = '']) => {
    const title = `${code} ${name}`;
    return [
      code,
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>isola error ${title}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}</style>
<h1>${title}</h1><p>${toHtml(meaning)}</p><p>${toHtml(remedy)}</p><p>HTTP status ${status}.</p></html>`,
    ] as const;
  });
  const known = Object.keys(ERROR_CODES).length;
  if (pages.length !== known) throw new Error(`docs/errors.md explains ${pages.length} errors of ${known}`);
  return new Map(pages);
}

/** Of the Markdown that a row has: code, and links, of which the text stays. */
function toHtml(markdown: string): string {
  return markdown
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
