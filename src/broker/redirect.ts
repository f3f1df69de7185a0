/** Following a redirect: Fetch standard, "HTTP-redirect fetch". */
import { EgressError } from './errors.ts';
import { withoutBodyHeaders, withoutSecrets } from './headers.ts';
import type { EgressRequest } from './egress.ts';
import { parseTarget } from './target.ts';

const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return REDIRECT_STATUSES.has(status);
}

/** One request of the chain: what the guest asked for, as changed by the redirects so far. */
export interface Hop extends Omit<EgressRequest, 'redirect' | 'url'> {
  readonly url: URL;
}

/** The request that follows a redirect. Throws an EgressError where the standard says "network error". */
export function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = parseTarget(location, hop.url);
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
  return becomesGet ? { method: 'GET', url, headers, body: undefined } : { ...hop, url, headers };
}
