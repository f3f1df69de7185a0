import { defineInterface, requireArguments, toUSVString } from '../webidl.ts';
import { encodeFragment, encodeQuery, parseUrl, removeTabAndNewline } from './parse.ts';
import { parseRelative } from './relative.ts';
import { type ParsedUrl, pathEnd, withFragment, withQuery } from './record.ts';
import { withHost, withPassword, withPathname, withPort, withProtocol, withUsername } from './setters.ts';
import { createUrlParams, resetParams, type URLSearchParams } from './url-search-params.ts';

// The last base parsed: programs resolve many URLs against one.
let lastBase: { readonly text: string; readonly parsed: ParsedUrl } | undefined;
// Handed from `createUrl` to the constructor it calls next: an argument could be forged.
let handedOver: ParsedUrl | undefined;

export class URL {
  #url: ParsedUrl;
  #params: URLSearchParams | undefined;

  constructor(url: string, base?: string) {
    requireArguments(arguments.length, 1, "Failed to construct 'URL'");
    if (handedOver !== undefined) {
      this.#url = handedOver;
      handedOver = undefined;
      return;
    }
    const parsed = parseWithBase(url, base);
    if (parsed === undefined) throw new TypeError(`Invalid URL: ${clip(toUSVString(url))}`);
    this.#url = parsed;
  }

  static canParse(url: string, base?: string): boolean {
    requireArguments(arguments.length, 1, "Failed to execute 'canParse' on 'URL'");
    return parseWithBase(url, base) !== undefined;
  }

  static parse(url: string, base?: string): URL | null {
    requireArguments(arguments.length, 1, "Failed to execute 'parse' on 'URL'");
    const parsed = parseWithBase(url, base);
    return parsed === undefined ? null : createUrl(parsed);
  }

  get href(): string {
    return this.#url.href;
  }
  set href(value: string) {
    const text = toUSVString(value);
    const parsed = parseUrl(text, undefined);
    if (parsed === undefined) throw new TypeError(`Invalid URL: ${clip(text)}`);
    this.#url = parsed;
    this.#resetParams();
  }

  get origin(): string {
    const { href, schemeEnd, hasHost, hostStart, pathStart } = this.#url;
    switch (href.slice(0, schemeEnd)) {
      case 'http:':
      case 'https:':
      case 'ws:':
      case 'wss:':
      case 'ftp:':
        if (!hasHost) return 'null';
        return `${href.slice(0, schemeEnd)}//${href.slice(hostStart, pathStart)}`;
      case 'blob:': {
        const inner = parseUrl(this.pathname, undefined);
        if (inner === undefined || !/^https?:/.test(inner.href)) return 'null';
        return createUrl(inner).origin;
      }
      default:
        return 'null';
    }
  }

  get protocol(): string {
    return this.#url.href.slice(0, this.#url.schemeEnd);
  }
  set protocol(value: string) {
    this.#url = withProtocol(this.#url, toUSVString(value));
  }

  get username(): string {
    const { href, schemeEnd, hasHost, userEnd } = this.#url;
    return hasHost ? href.slice(schemeEnd + 2, userEnd) : '';
  }
  set username(value: string) {
    this.#url = withUsername(this.#url, toUSVString(value));
  }

  get password(): string {
    const { href, hasHost, hostStart, userEnd } = this.#url;
    return hasHost && hostStart > userEnd + 1 ? href.slice(userEnd + 1, hostStart - 1) : '';
  }
  set password(value: string) {
    this.#url = withPassword(this.#url, toUSVString(value));
  }

  get host(): string {
    const { href, hasHost, hostStart, pathStart } = this.#url;
    return hasHost ? href.slice(hostStart, pathStart) : '';
  }
  set host(value: string) {
    this.#url = withHost(this.#url, toUSVString(value), false);
  }

  get hostname(): string {
    const { href, hasHost, hostStart, hostEnd } = this.#url;
    return hasHost ? href.slice(hostStart, hostEnd) : '';
  }
  set hostname(value: string) {
    this.#url = withHost(this.#url, toUSVString(value), true);
  }

  get port(): string {
    const { href, hasHost, hostEnd, pathStart } = this.#url;
    return hasHost && hostEnd < pathStart ? href.slice(hostEnd + 1, pathStart) : '';
  }
  set port(value: string) {
    this.#url = withPort(this.#url, toUSVString(value));
  }

  get pathname(): string {
    const url = this.#url;
    return url.href.slice(url.pathStart, pathEnd(url));
  }
  set pathname(value: string) {
    this.#url = withPathname(this.#url, toUSVString(value));
  }

  get search(): string {
    const query = queryOf(this.#url);
    return query === '' ? '' : `?${query}`;
  }
  set search(value: string) {
    const text = toUSVString(value);
    const url = this.#url;
    const query = removeTabAndNewline(text.charCodeAt(0) === 0x3f ? text.slice(1) : text);
    this.#url = withQuery(url, text === '' ? null : encodeQuery(query, url.href.slice(0, url.schemeEnd - 1)));
    this.#resetParams();
  }

  get searchParams(): URLSearchParams {
    return (this.#params ??= createUrlParams(queryOf(this.#url), (query) => {
      this.#url = withQuery(this.#url, query === '' ? null : query);
    }));
  }

  get hash(): string {
    const { href, fragmentStart } = this.#url;
    return fragmentStart < 0 || fragmentStart === href.length - 1 ? '' : href.slice(fragmentStart);
  }
  set hash(value: string) {
    const text = toUSVString(value);
    const fragment = removeTabAndNewline(text.charCodeAt(0) === 0x23 ? text.slice(1) : text);
    this.#url = withFragment(this.#url, text === '' ? null : encodeFragment(fragment));
  }

  toString(): string {
    return this.#url.href;
  }

  toJSON(): string {
    return this.#url.href;
  }

  #resetParams(): void {
    if (this.#params !== undefined) resetParams(this.#params, queryOf(this.#url));
  }
}
defineInterface(URL, 'URL', { constructor: 1, canParse: 1, parse: 1 });
for (const name of ['canParse', 'parse'] as const) Object.defineProperty(URL, name, { enumerable: true });

/**
 * The serialization of a URL, without making a URL object of it; undefined when it does not parse. Without a base it is
 * what APIs do with the URLs that they are given.
 */
export function parseHref(text: string, base?: string): string | undefined {
  return (base === undefined ? parseRelative(text) : parseWithBase(text, base))?.href;
}

function createUrl(parsed: ParsedUrl): URL {
  handedOver = parsed;
  return new URL('');
}

function parseWithBase(url: unknown, base: unknown): ParsedUrl | undefined {
  const input = toUSVString(url);
  if (base === undefined) return parseUrl(input, undefined);
  const text = toUSVString(base);
  if (lastBase?.text !== text) {
    const parsed = parseUrl(text, undefined);
    if (parsed === undefined) return undefined;
    lastBase = { text, parsed };
  }
  return parseUrl(input, lastBase.parsed);
}

function queryOf({ href, queryStart, fragmentStart }: ParsedUrl): string {
  if (queryStart < 0) return '';
  return href.slice(queryStart + 1, fragmentStart >= 0 ? fragmentStart : href.length);
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
