/** Following a redirect: Fetch standard, "HTTP-redirect fetch". */
import { EgressError } from './errors.ts';
import { withoutBodyHeaders, withoutSecrets } from './headers.ts';
import type { EgressRequest } from './egress.ts';
import { redirectClient } from './referrer.ts';
import { parseTarget } from './target.ts';

const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return REDIRECT_STATUSES.has(status);
}

/** One request of the chain: what the guest asked for, as changed by the redirects so far. */
export interface Hop extends Omit<EgressRequest, 'redirect' | 'url'> {
  readonly url: URL;
}

/** Headers are read a character for each byte; what is beyond ASCII in a Location is UTF-8 nearly always. */
function decodeLocation(location: string): string {
  return /[\x80-\xff]/.test(location) ? Buffer.from(location, 'latin1').toString('utf8') : location;
}

/** The request that follows a redirect. Throws an EgressError where the standard says "network error". */
export function nextHop(hop: Hop, status: number, { location, policy }: { location: string; policy: string }): Hop {
  const url = parseTarget(decodeLocation(location), hop.url);
  if (url.hash === '') url.hash = hop.url.hash;
  const becomesGet =
    ((status === 301 || status === 302) && hop.method === 'POST') ||
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD');
  if (!becomesGet && hop.body !== undefined && !(hop.body instanceof Uint8Array)) {
    throw new EgressError(`Cannot follow redirect ${status}: the request body is a stream and has been sent`);
  }
  let { headers } = hop;
  if (becomesGet) headers = withoutBodyHeaders(headers);
  if (url.origin !== hop.url.origin) headers = withoutSecrets(headers);
  const client = hop.client === undefined ? undefined : redirectClient(hop.client, hop.url, { to: url, policy });
  return { ...hop, url, headers, client, ...(becomesGet && { method: 'GET', body: undefined }) };
}
