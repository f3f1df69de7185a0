/** What a program gives to select cached responses, as the host is asked. */
import { headersToHead, isRequest, Request, requestParts, stringIndexOf, stringSlice } from '../../core.ts';

export interface QueryOptions {
  readonly ignoreMethod: boolean;
  readonly flags: string;
}

/** A request, as the host is asked about it. */
export interface Query {
  readonly url: string;
  readonly method: string;
  /** `\nname\nvalue…` */
  readonly fields: string;
}

export function isAskable(url: string, method: string, ignoreMethod: boolean): boolean {
  return (ignoreMethod || method === 'GET') && isHttp(url);
}

export function toQuery(input: unknown): Query {
  const { url, method, headers } = requestParts(isRequest(input) ? input : new Request(input));
  return { url, method, fields: headers === null ? '' : headersToHead(headers) };
}

/** Throws a TypeError for a request whose response may not be stored. */
export function toStorable(input: unknown): Query {
  const query = toQuery(input);
  if (query.method !== 'GET')
    throw new TypeError(`Cannot cache the response to a ${query.method} request, only to GET`);
  if (!isHttp(query.url)) throw new TypeError('Cannot cache this URL: only http: and https: are supported');
  return query;
}

export function toOptions(value: unknown): QueryOptions {
  if (value === undefined || value === null) return { ignoreMethod: false, flags: '' };
  if (typeof value !== 'object' && typeof value !== 'function') throw new TypeError('The options are not an object');
  const { ignoreMethod, ignoreSearch, ignoreVary } = value as Record<string, unknown>;
  return { ignoreMethod: !!ignoreMethod, flags: `${ignoreSearch ? 's' : ''}${ignoreVary ? 'v' : ''}` };
}

function isHttp(url: string): boolean {
  return stringIndexOf(url, 'http:') === 0 || stringIndexOf(url, 'https:') === 0;
}

export function withoutFragment(url: string): string {
  const at = stringIndexOf(url, '#');
  return at === -1 ? url : stringSlice(url, 0, at);
}
