import { STATUS_CODES } from 'node:http';
import type { ClientIn, ClientOut } from './client-io.ts';

/** Answers that the gateway gives in its own name. */
export const PAGES = {
  badRequest: [400, 'Bad request', 'The request could not be understood.'],
  badHandshake: [400, 'Bad request', 'The request asks for a WebSocket, but not as RFC 6455 has it.'],
  accountSuspended: [403, 'Not available', 'This address is not available at the moment.'],
  badHost: [404, 'There is nothing here', 'The request names no host.'],
  unknownHost: [404, 'There is nothing here', 'No Worker is served under this host name.'],
  unknownWorker: [404, 'Worker not found', 'There is no Worker at this address.'],
  bodyTooLarge: [413, 'Request body too large', 'The limit is 100 MB.'],
  urlTooLong: [414, 'URL too long', 'The limit is 16 KB.'],
  assetFailed: [500, 'Internal error', 'The file could not be read.'],
  badGateway: [502, 'Bad gateway', 'The Worker could not be reached, or broke off. Please try again.'],
  unavailable: [503, 'Service unavailable', 'There is no capacity at the moment. Please try again.'],
  loopDetected: [508, 'Loop detected', 'Workers fetch one another without end.'],
} as const;

export type PageName = keyof typeof PAGES;

/** Sends the head and the whole body of a page; the caller ends the response. HTML for browsers, text for the rest. */
export function writePage(req: ClientIn, res: ClientOut, page: PageName, ray: string, close: boolean): void {
  const [status, title, text] = PAGES[page];
  const html = req.headers.accept?.includes('text/html') ?? false;
  const body = html ? toHtml(status, title, text, ray) : `${status} ${title}\n${text}\nRay ${ray}\n`;
  const head = [
    'content-type',
    html ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    'x-isola-ray',
    ray,
  ];
  if (status === 503) head.push('retry-after', '1');
  if (close) head.push('connection', 'close');
  res.writeHead(status, STATUS_CODES[status], head);
  if (req.method !== 'HEAD') res.write(body, 'latin1');
}

// ASCII only, and nothing of the request in it: there is nothing to escape.
function toHtml(status: number, title: string, text: string, ray: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 0;padding:0 1.5rem;color:#222;background:#fff}
h1{font-size:1.5rem;margin:0}p{color:#555}small{color:#888;font-family:ui-monospace,monospace}
@media(prefers-color-scheme:dark){body{color:#eee;background:#16181b}p{color:#aaa}}</style>
<h1>${title}</h1><p>${text}</p><small>${status} · ray ${ray}</small></html>
`.replace('·', '&middot;');
}
