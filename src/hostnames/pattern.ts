/** Route patterns, `[http[s]://]host[/path]`: a wildcard may begin the host and may end the path, as in Workers. */
import { PlatformError } from '../errors.ts';
import { MAX_ROUTE_PATH_CHARS } from '../limits.ts';
import type { HostPattern } from '../model.ts';
import { toMatchedPath } from '../matched-path.ts';
import { parseHostname } from './hostname.ts';

const SHAPE = /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<host>[^/?#]*)(?<rest>.*)$/is;

/** Throws `badHostname` with a reason that fits on a line. */
export function parsePattern(text: string): HostPattern {
  const { scheme, host = '', rest = '' } = SHAPE.exec(text)?.groups ?? {};
  const { path, isPrefix } = parsePath(text, rest);
  const pattern = { ...parseHost(text, host), path, isPrefix };
  if (scheme === undefined) return pattern;
  const lower = scheme.toLowerCase();
  if (lower !== 'http' && lower !== 'https') throw bad(text, `its scheme must be http or https, or left out`);
  return { ...pattern, scheme: lower };
}

/** A custom domain: every path of one host name, by either scheme. */
export function parseDomain(text: string): HostPattern {
  return { host: parseHostname(text), wildcard: 'none', path: '/', isPrefix: true };
}

function parseHost(text: string, host: string): Pick<HostPattern, 'host' | 'wildcard'> {
  if (!host.startsWith('*')) return { host: parseHostname(host), wildcard: 'none' };
  if (host.startsWith('*.')) return { host: parseHostname(host.slice(2)), wildcard: 'subdomains' };
  if (host === '*') throw bad(text, 'a wildcard needs a host name behind it, as in *.example.com/*');
  return { host: parseHostname(host.slice(1)), wildcard: 'all' };
}

function parsePath(text: string, rest: string): Pick<HostPattern, 'path' | 'isPrefix'> {
  if (/[?#]/.test(rest)) throw bad(text, 'it must not have a query or a fragment');
  const isPrefix = rest.endsWith('*');
  const literal = isPrefix ? rest.slice(0, -1) : rest;
  if (literal.includes('*')) throw bad(text, 'in a path the wildcard * may only be the last character');
  const path = toMatchedPath(literal === '' ? '/' : literal);
  if (path.length > MAX_ROUTE_PATH_CHARS) {
    throw bad(text, `its path has ${path.length} characters, limit is ${MAX_ROUTE_PATH_CHARS}`);
  }
  return { path, isPrefix };
}

function bad(text: string, reason: string): PlatformError {
  const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
  return new PlatformError('badHostname', `Bad route pattern ${shown}: ${reason}`);
}
