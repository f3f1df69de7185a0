/**
 * Two forms of a parsed URL. `ParsedUrl` is the serialization and where its parts are: what getters want, and what the
 * fast scanner finds without taking anything apart. `UrlRecord` is the standard's: what the parser and setters work on.
 */

export interface UrlRecord {
  scheme: string;
  username: string;
  password: string;
  /** Serialized, with brackets around IPv6; null when there is none. */
  host: string | null;
  port: number | null;
  /** A string when the path is opaque. */
  path: string[] | string;
  query: string | null;
  fragment: string | null;
}

/** Offsets into `href`. Immutable. */
export interface ParsedUrl {
  readonly href: string;
  /** After the `:`. */
  readonly schemeEnd: number;
  readonly hasHost: boolean;
  /** End of the user name: where `:` or `@` stands, or equal to `hostStart`. */
  readonly userEnd: number;
  readonly hostStart: number;
  /** Where `:` stands when there is a port. */
  readonly hostEnd: number;
  readonly pathStart: number;
  /** Of the `?`, or -1. */
  readonly queryStart: number;
  /** Of the `#`, or -1. */
  readonly fragmentStart: number;
}

/** Default ports of the special schemes. */
export function defaultPort(scheme: string): number | null {
  switch (scheme) {
    case 'http':
    case 'ws':
      return 80;
    case 'https':
    case 'wss':
      return 443;
    case 'ftp':
      return 21;
    default:
      return null;
  }
}

export function isSpecial(scheme: string): boolean {
  return scheme === 'file' || defaultPort(scheme) !== null;
}

export function pathEnd(url: ParsedUrl): number {
  if (url.queryStart >= 0) return url.queryStart;
  return url.fragmentStart >= 0 ? url.fragmentStart : url.href.length;
}

export function hasOpaquePath(url: ParsedUrl): boolean {
  return !url.hasHost && url.href.charCodeAt(url.pathStart) !== 0x2f;
}

/** What the path segment `[from, to)` means: 1 for `.`, 2 for `..`, in any spelling; else 0. */
export function dotSegment(text: string, from: number, to: number): 0 | 1 | 2 {
  const length = to - from;
  if (length === 0 || length > 6) return 0;
  const c = text.charCodeAt(from);
  if (c === 0x2e && length === 1) return 1;
  if (c !== 0x2e && c !== 0x25) return 0;
  switch (text.slice(from, to).toLowerCase()) {
    case '%2e':
      return 1;
    case '..':
    case '.%2e':
    case '%2e.':
    case '%2e%2e':
      return 2;
    default:
      return 0;
  }
}

/** URL standard, "URL serializer". */
export function serialize(record: UrlRecord): ParsedUrl {
  let href = `${record.scheme}:`;
  const schemeEnd = href.length;
  let userEnd = schemeEnd;
  let hostStart = schemeEnd;
  let hostEnd = schemeEnd;
  const { path } = record;
  if (record.host !== null) {
    href += '//';
    userEnd = href.length + record.username.length;
    if (record.username !== '' || record.password !== '') {
      href += record.username;
      if (record.password !== '') href += `:${record.password}`;
      href += '@';
    }
    hostStart = href.length;
    href += record.host;
    hostEnd = href.length;
    if (record.port !== null) href += `:${record.port}`;
  } else if (typeof path !== 'string' && path.length > 1 && path[0] === '') {
    href += '/.'; // else the path would read as a host
  }
  const pathStart = href.length;
  if (typeof path === 'string') href += path;
  else for (let i = 0; i < path.length; i++) href += `/${path[i]}`;
  let queryStart = -1;
  if (record.query !== null) {
    queryStart = href.length;
    href += `?${record.query}`;
  }
  let fragmentStart = -1;
  if (record.fragment !== null) {
    fragmentStart = href.length;
    href += `#${record.fragment}`;
  }
  const hasHost = record.host !== null;
  return { href, schemeEnd, hasHost, userEnd, hostStart, hostEnd, pathStart, queryStart, fragmentStart };
}

/** Takes a URL apart again. */
export function toRecord(url: ParsedUrl): UrlRecord {
  const { href, hasHost, hostStart, hostEnd, pathStart, queryStart, fragmentStart, userEnd } = url;
  const end = fragmentStart >= 0 ? fragmentStart : href.length;
  const path = href.slice(pathStart, pathEnd(url));
  let segments: string[] | string = path;
  if (!hasOpaquePath(url)) {
    segments = path.split('/');
    segments.shift();
  }
  return {
    scheme: href.slice(0, url.schemeEnd - 1),
    username: hasHost ? href.slice(url.schemeEnd + 2, userEnd) : '',
    password: hasHost && hostStart > userEnd + 1 ? href.slice(userEnd + 1, hostStart - 1) : '',
    host: hasHost ? href.slice(hostStart, hostEnd) : null,
    port: hasHost && hostEnd < pathStart ? Number(href.slice(hostEnd + 1, pathStart)) : null,
    path: segments,
    query: queryStart >= 0 ? href.slice(queryStart + 1, end) : null,
    fragment: fragmentStart >= 0 ? href.slice(fragmentStart + 1) : null,
  };
}

/** The same URL with another query, already encoded, or none. */
export function withQuery(url: ParsedUrl, query: string | null): ParsedUrl {
  const end = pathEnd(url);
  const before = url.href.slice(0, end);
  const after = url.fragmentStart >= 0 ? url.href.slice(url.fragmentStart) : '';
  const middle = query === null ? '' : `?${query}`;
  return {
    ...url,
    href: before + middle + after,
    queryStart: query === null ? -1 : end,
    fragmentStart: url.fragmentStart >= 0 ? end + middle.length : -1,
  };
}

/** The same URL with another fragment, already encoded, or none. */
export function withFragment(url: ParsedUrl, fragment: string | null): ParsedUrl {
  const before = url.fragmentStart >= 0 ? url.href.slice(0, url.fragmentStart) : url.href;
  if (fragment === null) return { ...url, href: before, fragmentStart: -1 };
  return { ...url, href: `${before}#${fragment}`, fragmentStart: before.length };
}
