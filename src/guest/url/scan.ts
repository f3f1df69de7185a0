/**
 * The fast scanner: an ordinary http, https, ws or wss URL that is already in its serialized form needs no parsing,
 * only to know where its parts are. Whatever is not plainly so is left to parse.ts (answer undefined).
 */
import type { ParsedUrl } from './record.ts';

const HOST = 1; // lower-case letters, digits, `-`, `.`, `_`
const PATH = 2; // not encoded in a path, and no separator but `/`
const QUERY = 4;
const FRAGMENT = 8;

const CLASSES = new Uint8Array(128);
for (let c = 0x21; c < 0x7f; c++) {
  const character = String.fromCharCode(c);
  let bits = 0;
  if (/[a-z0-9._-]/.test(character)) bits |= HOST;
  if (!/["#<>?^`{}\\]/.test(character)) bits |= PATH;
  if (!/["#<>']/.test(character)) bits |= QUERY;
  if (!/["<>`]/.test(character)) bits |= FRAGMENT;
  CLASSES[c] = bits;
}

export function scanAbsolute(input: string): ParsedUrl | undefined {
  let schemeEnd: number;
  let portOfScheme = 80;
  if (input.startsWith('http')) {
    schemeEnd = 5;
  } else if (input.startsWith('ws')) {
    schemeEnd = 3;
  } else {
    return undefined;
  }
  if (input.charCodeAt(schemeEnd - 1) === 0x73 /* s */) {
    schemeEnd++;
    portOfScheme = 443;
  }
  if (!input.startsWith('://', schemeEnd - 1)) return undefined;

  const { length } = input;
  const hostStart = schemeEnd + 2;
  let label = hostStart;
  let i = hostStart;
  let c = 0;
  for (; i < length; i++) {
    c = input.charCodeAt(i);
    if (c > 0x7e || ((CLASSES[c] as number) & HOST) === 0) break;
    if (c === 0x2e) label = i + 1;
    else if (c === 0x2d && i === label + 3 && input.charCodeAt(i - 1) === 0x2d) return undefined; // xn-- and its kin
  }
  const hostEnd = i;
  if (label === hostEnd) return undefined; // empty, or ends with a dot
  const first = input.charCodeAt(label);
  if (first >= 0x30 && first <= 0x39) return undefined; // perhaps an IPv4 address

  if (i < length && c === 0x3a) {
    const portStart = ++i;
    let port = 0;
    for (; i < length; i++) {
      c = input.charCodeAt(i);
      if (c < 0x30 || c > 0x39) break;
      port = port * 10 + c - 0x30;
    }
    const digits = i - portStart;
    if (digits === 0 || digits > 5 || port > 65_535 || port === portOfScheme) return undefined;
    if (input.charCodeAt(portStart) === 0x30 && digits > 1) return undefined;
  }
  const authority: Authority = { schemeEnd, hostStart, hostEnd, pathStart: i };
  if (i === length) return createParsed(`${input}/`, authority, -1, -1);
  return scanFromPath(input, authority);
}

/** `/path...` against a base whose scheme is special and not `file`. */
export function scanPathAbsolute(input: string, base: ParsedUrl): ParsedUrl | undefined {
  if (input.charCodeAt(0) !== 0x2f || input.charCodeAt(1) === 0x2f || !base.hasHost) return undefined;
  const { href, hostStart } = base;
  if (hostStart !== base.schemeEnd + 2) return undefined; // credentials: rare
  if (!href.startsWith('http') && !href.startsWith('ws')) return undefined;
  const scheme = href.slice(0, base.schemeEnd);
  if (scheme !== 'https:' && scheme !== 'http:' && scheme !== 'wss:' && scheme !== 'ws:') return undefined;
  const whole = href.slice(0, base.pathStart) + input;
  return scanFromPath(whole, base);
}

type Authority = Pick<ParsedUrl, 'schemeEnd' | 'hostStart' | 'hostEnd' | 'pathStart'>;

function scanFromPath(href: string, authority: Authority): ParsedUrl | undefined {
  const { length } = href;
  let i = authority.pathStart;
  if (href.charCodeAt(i) !== 0x2f) return undefined;
  let afterSlash = false;
  let c = 0;
  for (; i < length; i++) {
    c = href.charCodeAt(i);
    if (c > 0x7e || ((CLASSES[c] as number) & PATH) === 0) break;
    if (afterSlash && (c === 0x2e || c === 0x25)) return undefined; // perhaps a dot segment
    afterSlash = c === 0x2f;
  }
  let queryStart = -1;
  if (i < length && c === 0x3f) {
    queryStart = i++;
    for (; i < length; i++) {
      c = href.charCodeAt(i);
      if (c > 0x7e || ((CLASSES[c] as number) & QUERY) === 0) break;
    }
  }
  let fragmentStart = -1;
  if (i < length && c === 0x23) {
    fragmentStart = i++;
    for (; i < length; i++) {
      c = href.charCodeAt(i);
      if (c > 0x7e || ((CLASSES[c] as number) & FRAGMENT) === 0) break;
    }
  }
  return i < length ? undefined : createParsed(href, authority, queryStart, fragmentStart);
}

function createParsed(href: string, authority: Authority, queryStart: number, fragmentStart: number): ParsedUrl {
  const { schemeEnd, hostStart, hostEnd, pathStart } = authority;
  return {
    href,
    schemeEnd,
    hasHost: true,
    userEnd: hostStart,
    hostStart,
    hostEnd,
    pathStart,
    queryStart,
    fragmentStart,
  };
}
