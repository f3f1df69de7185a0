/** What a tenant may fetch, as far as the URL tells. The address behind it is connect.ts's business. */
import { MAX_URL_BYTES } from '../limits.ts';
import { EgressError } from './errors.ts';

/**
 * Ports of the Fetch standard's "bad port" list, which a request in clothes of HTTP could be used to talk to servers
 * of another protocol (mail relays above all), plus 0.
 */
const BAD_PORTS = new Set(
  (
    '0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 ' +
    '123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 ' +
    '993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
);

/** Parses a request's URL, or a Location against the URL it came from. Throws an EgressError. */
export function parseTarget(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) throw new EgressError('Cannot fetch: invalid URL');
  if (url.href.length > MAX_URL_BYTES) {
    throw new EgressError(`Cannot fetch: URL is ${url.href.length} bytes, limit is ${MAX_URL_BYTES}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new EgressError(`Cannot fetch: scheme is ${url.protocol.slice(0, -1)}, allowed are http and https`);
  }
  if (url.username !== '' || url.password !== '') throw new EgressError('Cannot fetch: URL contains credentials');
  if (BAD_PORTS.has(url.port)) throw new EgressError(`Cannot fetch: port ${url.port} is blocked`);
  return url;
}
