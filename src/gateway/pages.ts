import { STATUS_CODES } from 'node:http';
import type { ClientIn, ClientOut } from './client-io.ts';

/** Answers that the gateway gives in its own name. */
export const PAGES = {
  badRequest: [400, 'Bad request', 'The request could not be understood.'],
  badHandshake: [400, 'Bad request', 'The request asks for a WebSocket, but not as RFC 6455 has it.'],
  accountSuspended: [403, 'Not available', 'This address is not available at the moment.'],
  badHost: [400, 'Bad request', 'The request names no host, or more than one.'],
  unknownHost: [404, 'There is nothing here', 'No Worker is served under this host name.'],
  unknownWorker: [404, 'Worker not found', 'There is no Worker at this address.'],
  badMethod: [405, 'Method not allowed', 'No Worker answers to this method.'],
  bodyTooSlow: [408, 'Request timed out', 'The request body came too slowly.'],
  bodyTooLarge: [413, 'Request body too large', 'The limit is 100 MB.'],
  urlTooLong: [414, 'URL too long', 'The limit is 16 KB.'],
  badExpectation: [417, 'Expectation failed', 'The only expectation that is known here is 100-continue.'],
  addressBusy: [429, 'Too many requests', 'Too many requests of this address are under way. Please try again.'],
  assetFailed: [500, 'Internal error', 'The file could not be read.'],
  badEncoding: [501, 'Not implemented', 'The only transfer coding that is known here is chunked.'],
  badGateway: [502, 'Bad gateway', 'The Worker could not be reached, or broke off. Please try again.'],
  overQuota: [
    429,
    'Quota used up',
    'This address has served what it may for now (error 1027). Please come back later.',
  ],
  unavailable: [503, 'Service unavailable', 'There is no capacity at the moment. Please try again.'],
  accountBusy: [503, 'Service unavailable', 'Too many requests for this address are under way. Please try again.'],
  badVersion: [505, 'HTTP version not supported', 'This is HTTP/1.1.'],
  loopDetected: [508, 'Loop detected', 'Workers fetch one another without end.'],
} as const;

export type PageName = keyof typeof PAGES;

/** The rest of what such a client sends is not looked at: its connection is closed. */
export const CLOSING_PAGES: ReadonlySet<PageName> = new Set([
  'badRequest',
  'badHandshake',
  'badHost',
  'badMethod',
  'badEncoding',
  'badExpectation',
  'badVersion',
]);

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
  if (status === 405) head.push('allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (status === 429 || status === 503) head.push('retry-after', '1');
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
