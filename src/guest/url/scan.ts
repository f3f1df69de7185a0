/**
 * The fast scanner: an ordinary http, https, ws or wss URL that is already in its serialized form, dot segments aside,
 * needs no parsing, only to know where its parts are. Whatever is not plainly so is left to parse.ts (answer undefined).
 */
import { regExpExec } from '../runtime/intrinsics.ts';
import { dotSegment, pathEnd, type ParsedUrl } from './record.ts';

const SLASH = 0x2f;
const QUESTION = 0x3f;
const HASH = 0x23;
const COLON = 0x3a;

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

// For long texts: compiled expressions look at a character in half the time of a loop, but take longer to begin.
const LONG = 64;
const PATH_STOP = /[^!$-.0-;=@-Z[\]_a-z|~/]|\/[.%]/g;
const QUERY_STOP = /[^!$-&(-;=?-~]/g;

/** Where the segments of a path with dot segments begin and end. More are left to the parser. */
const MAX_SEGMENTS = 128;
const starts = new Int32Array(MAX_SEGMENTS);
const ends = new Int32Array(MAX_SEGMENTS);

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

/** A relative reference without a host, against a base whose scheme is special and not `file`. */
export function scanRelative(input: string, base: ParsedUrl): ParsedUrl | undefined {
  if (!isOrdinary(base)) return undefined;
  const { href, pathStart, fragmentStart } = base;
  switch (input.charCodeAt(0)) {
    case SLASH:
      return input.charCodeAt(1) === SLASH ? undefined : scanFromPath(href.slice(0, pathStart) + input, base);
    case QUESTION:
      return scanFromPath(href.slice(0, pathEnd(base)) + input, base);
    case HASH:
      return scanFromPath((fragmentStart < 0 ? href : href.slice(0, fragmentStart)) + input, base);
    default: {
      if (input === '' || mayHaveScheme(input)) return undefined;
      const directory = href.lastIndexOf('/', pathEnd(base) - 1) + 1;
      return scanFromPath(href.slice(0, directory) + input, base);
    }
  }
}

/** The URL with another path, given as to the `pathname` setter. */
export function scanPathname(value: string, url: ParsedUrl): ParsedUrl | undefined {
  if (!isOrdinary(url) || value.includes('?') || value.includes('#')) return undefined;
  const { href, pathStart } = url;
  const slash = value.charCodeAt(0) === SLASH ? '' : '/';
  return scanFromPath(href.slice(0, pathStart) + slash + value + href.slice(pathEnd(url)), url);
}

/** The URL with another host, given as to the `host` setter, or `hostname`. */
export function scanHost(value: string, url: ParsedUrl, hostnameOnly: boolean): ParsedUrl | undefined {
  if (!isOrdinary(url)) return undefined;
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c > 0x7e || (((CLASSES[c] as number) & HOST) === 0 && c !== COLON)) return undefined;
  }
  const hasPort = value.includes(':');
  if (hasPort && hostnameOnly) return undefined;
  const { href, hostStart, hostEnd, pathStart } = url;
  return scanAbsolute(href.slice(0, hostStart) + value + href.slice(hasPort ? pathStart : hostEnd));
}

/** http, https, ws or wss, and no credentials. */
function isOrdinary({ href, schemeEnd, hasHost, hostStart }: ParsedUrl): boolean {
  if (!hasHost || hostStart !== schemeEnd + 2) return false;
  switch (schemeEnd) {
    case 3:
      return href.startsWith('ws:');
    case 4:
      return href.startsWith('wss:');
    case 5:
      return href.startsWith('http:');
    default:
      return href.startsWith('https:');
  }
}

/** Whether a colon stands before any character that no scheme has. */
function mayHaveScheme(input: string): boolean {
  for (let i = 0; i < input.length; i++) {
    const c = input.charCodeAt(i);
    if (c === COLON) return true;
    if (c === SLASH || c === QUESTION || c === HASH) return false;
  }
  return false;
}

type Authority = Pick<ParsedUrl, 'schemeEnd' | 'hostStart' | 'hostEnd' | 'pathStart'>;

function scanFromPath(href: string, authority: Authority): ParsedUrl | undefined {
  const { pathStart } = authority;
  if (href.charCodeAt(pathStart) !== SLASH) return undefined;
  const i = plainPathEnd(href, pathStart);
  return href.charCodeAt(i) === SLASH ? scanDotted(href, authority) : scanTail(href, authority, i);
}

/** Where the plain part of a path ends: at what is no path, or at the slash before what may be a dot segment. */
function plainPathEnd(href: string, from: number): number {
  const { length } = href;
  if (length - from > LONG) {
    PATH_STOP.lastIndex = from;
    return regExpExec(PATH_STOP, href)?.index ?? length;
  }
  let afterSlash = false;
  let i = from;
  for (; i < length; i++) {
    const c = href.charCodeAt(i);
    if (c > 0x7e || ((CLASSES[c] as number) & PATH) === 0) break;
    if (afterSlash && (c === 0x2e || c === 0x25)) return i - 1;
    afterSlash = c === SLASH;
  }
  return i;
}

/** The same for a path with segments that have to be taken out. */
function scanDotted(href: string, authority: Authority): ParsedUrl | undefined {
  const { length } = href;
  const { pathStart } = authority;
  let count = 0;
  let segment = pathStart + 1;
  let i = segment;
  let endsInDots = false;
  for (; ; i++) {
    const c = i < length ? href.charCodeAt(i) : HASH;
    const isLast = c === QUESTION || c === HASH;
    if (!isLast && c !== SLASH) {
      if (c > 0x7e || ((CLASSES[c] as number) & PATH) === 0) return undefined;
      continue;
    }
    const dots = dotSegment(href, segment, i);
    if (dots === 0) {
      if (count === MAX_SEGMENTS) return undefined;
      starts[count] = segment;
      ends[count] = i;
      count++;
    } else {
      if (dots === 2 && count > 0) count--;
      endsInDots = isLast;
    }
    if (isLast) break;
    segment = i + 1;
  }
  let path = '';
  for (let k = 0; k < count;) {
    const start = (starts[k] as number) - 1;
    let end = ends[k] as number;
    while (++k < count && starts[k] === end + 1) end = ends[k] as number;
    path += href.slice(start, end);
  }
  if (endsInDots) path += '/';
  const before = href.slice(0, pathStart) + path;
  return scanTail(before + href.slice(i), authority, before.length);
}

/** Query and fragment, of which one begins at `from` unless that is the end. */
function scanTail(href: string, authority: Authority, from: number): ParsedUrl | undefined {
  const { length } = href;
  let i = from;
  let queryStart = -1;
  if (href.charCodeAt(i) === QUESTION) {
    queryStart = i;
    i = queryEnd(href, i + 1);
  }
  let fragmentStart = -1;
  if (href.charCodeAt(i) === HASH) {
    fragmentStart = i++;
    for (; i < length; i++) {
      const c = href.charCodeAt(i);
      if (c > 0x7e || ((CLASSES[c] as number) & FRAGMENT) === 0) break;
    }
  }
  return i < length ? undefined : createParsed(href, authority, queryStart, fragmentStart);
}

function queryEnd(href: string, from: number): number {
  const { length } = href;
  if (length - from > LONG) {
    QUERY_STOP.lastIndex = from;
    return regExpExec(QUERY_STOP, href)?.index ?? length;
  }
  let i = from;
  for (; i < length; i++) {
    const c = href.charCodeAt(i);
    if (c > 0x7e || ((CLASSES[c] as number) & QUERY) === 0) break;
  }
  return i;
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
