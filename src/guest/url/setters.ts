/** What assigning to a URL's parts does (the parser with a state override). Each answers the URL changed, or as it was. */
import { parseHost } from './host.ts';
import { appendPath, authorityEnd, portColon, removeTabAndNewline, schemeLength, setPort } from './parse.ts';
import { percentEncode, USERINFO } from './percent.ts';
import {
  defaultPort,
  hasOpaquePath,
  isSpecial,
  type ParsedUrl,
  serialize,
  toRecord,
  type UrlRecord,
} from './record.ts';
import { scanHost, scanPathname } from './scan.ts';

export function withProtocol(url: ParsedUrl, value: string): ParsedUrl {
  const text = `${removeTabAndNewline(value)}:`;
  const length = schemeLength(text);
  if (length < 0) return url;
  const scheme = text.slice(0, length).toLowerCase();
  const record = toRecord(url);
  if (isSpecial(record.scheme) !== isSpecial(scheme)) return url;
  if (scheme === 'file' && (hasCredentials(record) || record.port !== null)) return url;
  if (record.scheme === 'file' && record.host === '') return url;
  record.scheme = scheme;
  if (record.port === defaultPort(scheme)) record.port = null;
  return serialize(record);
}

export function withUsername(url: ParsedUrl, value: string): ParsedUrl {
  return withCredential(url, 'username', value);
}

export function withPassword(url: ParsedUrl, value: string): ParsedUrl {
  return withCredential(url, 'password', value);
}

/** `hostnameOnly`: the `hostname` setter, which takes no port. */
export function withHost(url: ParsedUrl, value: string, hostnameOnly: boolean): ParsedUrl {
  const scanned = scanHost(value, url, hostnameOnly);
  if (scanned !== undefined) return scanned;
  if (hasOpaquePath(url)) return url;
  const text = removeTabAndNewline(value);
  const record = toRecord(url);
  const special = isSpecial(record.scheme);
  const end = authorityEnd(text, 0, special);
  if (record.scheme === 'file') {
    const host = end === 0 ? '' : parseHost(text.slice(0, end), true);
    if (host === undefined) return url;
    record.host = host === 'localhost' ? '' : host;
    return serialize(record);
  }
  const colon = portColon(text, 0, end);
  if (colon >= 0 && hostnameOnly) return url;
  const buffer = text.slice(0, colon < 0 ? end : colon);
  if (buffer === '' && (special || colon >= 0 || hasCredentials(record) || record.port !== null)) return url;
  const host = parseHost(buffer, special);
  if (host === undefined) return url;
  record.host = host;
  if (colon >= 0) setPort(record, leadingDigits(text.slice(colon + 1, end)));
  return serialize(record);
}

export function withPort(url: ParsedUrl, value: string): ParsedUrl {
  const record = toRecord(url);
  if (cannotHaveCredentials(record)) return url;
  if (value === '') record.port = null;
  else if (!setPort(record, leadingDigits(removeTabAndNewline(value)))) return url;
  return serialize(record);
}

export function withPathname(url: ParsedUrl, value: string): ParsedUrl {
  const scanned = scanPathname(value, url);
  if (scanned !== undefined) return scanned;
  if (hasOpaquePath(url)) return url;
  const text = removeTabAndNewline(value);
  const record = toRecord(url);
  record.path = [];
  const c = text.charCodeAt(0);
  const special = isSpecial(record.scheme);
  const hasSlash = c === 0x2f || (special && c === 0x5c);
  if (special || text !== '') appendPath(record, text, hasSlash ? 1 : 0, text.length);
  else if (record.host === null) record.path = [''];
  return serialize(record);
}

function withCredential(url: ParsedUrl, part: 'username' | 'password', value: string): ParsedUrl {
  const record = toRecord(url);
  if (cannotHaveCredentials(record)) return url;
  record[part] = percentEncode(value, USERINFO);
  return serialize(record);
}

function cannotHaveCredentials(record: UrlRecord): boolean {
  return record.host === null || record.host === '' || record.scheme === 'file';
}

function hasCredentials(record: UrlRecord): boolean {
  return record.username !== '' || record.password !== '';
}

function leadingDigits(text: string): string {
  return /^[0-9]*/.exec(text)?.[0] ?? '';
}
