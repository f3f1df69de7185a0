/**
 * The URL parser (URL standard, section 4.4). The standard describes a state machine that takes one code point at a
 * time; here each state that can be is a search for its end, which gives the same results several times faster.
 */
import { parseHost } from './host.ts';
import { C0_CONTROL, FRAGMENT, PATH, percentEncode, QUERY, SPECIAL_QUERY, USERINFO } from './percent.ts';
import { defaultPort, dotSegment, isSpecial, type ParsedUrl, serialize, toRecord, type UrlRecord } from './record.ts';
import { scanAbsolute, scanRelative } from './scan.ts';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const QUESTION = 0x3f;
const HASH = 0x23;
const COLON = 0x3a;
const MAX_PORT = 65_535;

/** Parses a well-formed string against a base; undefined for failure. */
export function parseUrl(input: string, base: ParsedUrl | undefined): ParsedUrl | undefined {
  const scanned = scanAbsolute(input) ?? (base === undefined ? undefined : scanRelative(input, base));
  if (scanned !== undefined) return scanned;
  const text = removeTabAndNewline(trimControls(input));
  const record = parseRecord(text, base === undefined ? undefined : toRecord(base));
  return record === undefined ? undefined : serialize(record);
}

export function removeTabAndNewline(text: string): string {
  return /[\t\n\r]/.test(text) ? text.replace(/[\t\n\r]+/g, '') : text;
}

/** Length of the scheme that `text` begins with and a colon ends, or -1. */
export function schemeLength(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (isAlpha(c)) continue;
    if (i === 0) return -1;
    if (c === COLON) return i;
    if (!isDigit(c) && c !== 0x2b && c !== 0x2d && c !== 0x2e) return -1;
  }
  return -1;
}

/** Parses a port's digits, `[from, to)`. Answers false when it is too large. */
export function setPort(record: UrlRecord, digits: string): boolean {
  if (digits === '') return true;
  const port = Number.parseInt(digits, 10);
  if (port > MAX_PORT) return false;
  record.port = port === defaultPort(record.scheme) ? null : port;
  return true;
}

/** Where the host that begins at `from` has its `:`, or -1. Colons in brackets do not count. */
export function portColon(text: string, from: number, end: number): number {
  let inBrackets = false;
  for (let i = from; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b) inBrackets = true;
    else if (c === 0x5d) inBrackets = false;
    else if (c === COLON && !inBrackets) return i;
  }
  return -1;
}

/** Where the authority that begins at `from` ends. */
export function authorityEnd(text: string, from: number, special: boolean): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === SLASH || c === QUESTION || c === HASH || (special && c === BACKSLASH)) return i;
  }
  return text.length;
}

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

export function encodeQuery(query: string, scheme: string): string {
  return percentEncode(query, isSpecial(scheme) ? SPECIAL_QUERY : QUERY);
}

export function encodeFragment(fragment: string): string {
  return percentEncode(fragment, FRAGMENT);
}

/** "Path state": adds the segments of `[from, end)`, whose leading slash has been taken off, to the record's path. */
export function appendPath(record: UrlRecord, text: string, from: number, end: number): void {
  const special = isSpecial(record.scheme);
  const path = record.path as string[];
  let start = from;
  for (let i = from; i <= end; i++) {
    const last = i === end;
    if (!last) {
      const c = text.charCodeAt(i);
      if (c !== SLASH && !(special && c === BACKSLASH)) continue;
    }
    const segment = text.slice(start, i);
    start = i + 1;
    const dots = dotSegment(segment, 0, segment.length);
    if (dots === 2) shortenPath(record);
    if (dots > 0) {
      if (last) path.push('');
      continue;
    }
    const isDrive = record.scheme === 'file' && path.length === 0 && isDriveLetter(segment);
    path.push(isDrive ? `${segment.charAt(0)}:` : percentEncode(segment, PATH));
  }
}

function parseRecord(text: string, base: UrlRecord | undefined): UrlRecord | undefined {
  const length = schemeLength(text);
  if (length < 0) {
    if (base === undefined) return undefined;
    if (typeof base.path === 'string') {
      if (text.charCodeAt(0) !== HASH) return undefined;
      return { ...base, fragment: encodeFragment(text.slice(1)) };
    }
    return base.scheme === 'file' ? parseFile(text, 0, base) : parseRelative(text, 0, base);
  }
  const scheme = text.slice(0, length).toLowerCase();
  const rest = length + 1;
  if (scheme === 'file') return parseFile(text, rest, base);
  if (isSpecial(scheme)) {
    if (base !== undefined && base.scheme === scheme && !text.startsWith('//', rest)) {
      return parseRelative(text, rest, base);
    }
    return parseAuthority(createRecord(scheme), text, skipSlashes(text, rest));
  }
  const record = createRecord(scheme);
  if (text.startsWith('//', rest)) return parseAuthority(record, text, rest + 2);
  if (text.charCodeAt(rest) === SLASH) return parsePath(record, text, rest + 1);
  return parseOpaquePath(record, text, rest);
}

function parseRelative(text: string, from: number, base: UrlRecord): UrlRecord | undefined {
  const special = isSpecial(base.scheme);
  const isSlash = (c: number): boolean => c === SLASH || (special && c === BACKSLASH);
  if (isSlash(text.charCodeAt(from))) {
    if (isSlash(text.charCodeAt(from + 1))) {
      const start = special ? skipSlashes(text, from) : from + 2;
      return parseAuthority(createRecord(base.scheme), text, start);
    }
    return parsePath({ ...base, path: [], query: null, fragment: null }, text, from + 1);
  }
  return parseAgainst({ ...base, path: copyPath(base), fragment: null }, text, from);
}

/** The rest of the relative state: `record` is a copy of the base. */
function parseAgainst(record: UrlRecord, text: string, from: number): UrlRecord {
  const c = text.charCodeAt(from);
  if (c === QUESTION || c === HASH || from >= text.length) return parseTail(record, text, from);
  record.query = null;
  shortenPath(record);
  return parsePath(record, text, from);
}

function parseFile(text: string, from: number, base: UrlRecord | undefined): UrlRecord | undefined {
  const record = createRecord('file');
  record.host = '';
  const fileBase = base?.scheme === 'file' ? base : undefined;
  if (isEitherSlash(text.charCodeAt(from))) {
    if (isEitherSlash(text.charCodeAt(from + 1))) return parseFileHost(record, text, from + 2);
    if (fileBase !== undefined) {
      record.host = fileBase.host;
      const drive = fileBase.path[0];
      if (!startsWithDriveLetter(text, from + 1) && drive !== undefined && isNormalizedDriveLetter(drive)) {
        (record.path as string[]).push(drive);
      }
    }
    return parsePath(record, text, from + 1);
  }
  if (fileBase === undefined) return parsePath(record, text, from);
  if (startsWithDriveLetter(text, from)) {
    record.host = fileBase.host;
    return parsePath(record, text, from);
  }
  return parseAgainst({ ...fileBase, path: copyPath(fileBase), fragment: null }, text, from);
}

function parseFileHost(record: UrlRecord, text: string, from: number): UrlRecord | undefined {
  const end = authorityEnd(text, from, true);
  const buffer = text.slice(from, end);
  if (isDriveLetter(buffer)) return parsePath(record, text, from);
  if (buffer !== '') {
    const host = parseHost(buffer, true);
    if (host === undefined) return undefined;
    record.host = host === 'localhost' ? '' : host;
  }
  return parsePathStart(record, text, end);
}

function parseAuthority(record: UrlRecord, text: string, from: number): UrlRecord | undefined {
  const special = isSpecial(record.scheme);
  const end = authorityEnd(text, from, special);
  let hostStart = from;
  const at = text.lastIndexOf('@', end - 1);
  if (at >= from && end > from) {
    const credentials = text.slice(from, at);
    const colon = credentials.indexOf(':');
    record.username = percentEncode(colon < 0 ? credentials : credentials.slice(0, colon), USERINFO);
    if (colon >= 0) record.password = percentEncode(credentials.slice(colon + 1), USERINFO);
    hostStart = at + 1;
    if (hostStart === end) return undefined;
  }
  const colon = portColon(text, hostStart, end);
  const buffer = text.slice(hostStart, colon < 0 ? end : colon);
  if (buffer === '' && (special || colon >= 0)) return undefined;
  const host = parseHost(buffer, special);
  if (host === undefined) return undefined;
  record.host = host;
  if (colon >= 0) {
    const digits = text.slice(colon + 1, end);
    if (/[^0-9]/.test(digits) || !setPort(record, digits)) return undefined;
  }
  return parsePathStart(record, text, end);
}

function parsePathStart(record: UrlRecord, text: string, from: number): UrlRecord {
  const c = text.charCodeAt(from);
  if (isSpecial(record.scheme)) return parsePath(record, text, isEitherSlash(c) ? from + 1 : from);
  return c === SLASH ? parsePath(record, text, from + 1) : parseTail(record, text, from);
}

function parsePath(record: UrlRecord, text: string, from: number): UrlRecord {
  const end = searchTail(text, from);
  appendPath(record, text, from, end);
  return parseTail(record, text, end);
}

function parseOpaquePath(record: UrlRecord, text: string, from: number): UrlRecord {
  const end = searchTail(text, from);
  let path = percentEncode(text.slice(from, end), C0_CONTROL);
  // A space before `?` or `#` is encoded: else taking the query off again would leave one that the parser trims.
  if (end < text.length && path.endsWith(' ')) path = `${path.slice(0, -1)}%20`;
  record.path = path;
  return parseTail(record, text, end);
}

function parseTail(record: UrlRecord, text: string, from: number): UrlRecord {
  let at = from;
  if (text.charCodeAt(at) === QUESTION) {
    const hash = text.indexOf('#', at);
    const end = hash < 0 ? text.length : hash;
    record.query = encodeQuery(text.slice(at + 1, end), record.scheme);
    at = end;
  }
  if (text.charCodeAt(at) === HASH) record.fragment = encodeFragment(text.slice(at + 1));
  return record;
}

function searchTail(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUESTION || c === HASH) return i;
  }
  return text.length;
}

function copyPath(record: UrlRecord): string[] {
  return (record.path as string[]).slice();
}

function createRecord(scheme: string): UrlRecord {
  return { scheme, username: '', password: '', host: null, port: null, path: [], query: null, fragment: null };
}

function shortenPath(record: UrlRecord): void {
  const path = record.path as string[];
  if (record.scheme === 'file' && path.length === 1 && isNormalizedDriveLetter(path[0] as string)) return;
  path.pop();
}

function isDriveLetter(text: string): boolean {
  return /^[a-z][:|]$/i.test(text);
}

function isNormalizedDriveLetter(text: string): boolean {
  return /^[a-z]:$/i.test(text);
}

function startsWithDriveLetter(text: string, from: number): boolean {
  return isDriveLetter(text.slice(from, from + 2)) && authorityEnd(text, from + 2, true) <= from + 2;
}

function skipSlashes(text: string, from: number): number {
  let i = from;
  while (isEitherSlash(text.charCodeAt(i))) i++;
  return i;
}

function isEitherSlash(c: number): boolean {
  return c === SLASH || c === BACKSLASH;
}

function isAlpha(c: number): boolean {
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function trimControls(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start++;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--;
  return text.slice(start, end);
}
