/** Header lists (`name, value, name, value…`) on their way out to an origin and back to the guest. */

import { LOOP_HEADER } from '../loop-header.ts';

/** RFC 9110 §7.6.1: they speak of one connection only. `host`, `content-length`, `expect` are this module's to set. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const MANAGED = new Set(['content-length', 'expect', 'host', 'http2-settings', LOOP_HEADER]);
/** Fetch standard, HTTP-redirect fetch step 13, and what clients outside browsers drop as well. */
const SECRETS = new Set(['authorization', 'cookie', 'proxy-authorization']);
/** Fetch standard, "request-body-header name". */
const ABOUT_BODY = new Set(['content-encoding', 'content-language', 'content-location', 'content-type']);

/** The guest's headers without those it may not set. */
export function toOriginHeaders(headers: readonly string[]): string[] {
  const named = namedByConnection(headers);
  return without(headers, (name) => HOP_BY_HOP.has(name) || MANAGED.has(name) || named.has(name));
}

/** The origin's headers without those about the connection. A decoded body has lost its encoding and its length. */
export function toGuestHeaders(headers: readonly string[], { decoded }: { readonly decoded: boolean }): string[] {
  const named = namedByConnection(headers);
  return without(headers, (name) => {
    if (HOP_BY_HOP.has(name) || named.has(name)) return true;
    return decoded && (name === 'content-encoding' || name === 'content-length');
  });
}

export function withoutSecrets(headers: readonly string[]): string[] {
  return without(headers, (name) => SECRETS.has(name));
}

/** Without what the broker says itself for a request that tells where it comes from. */
export function withoutClient(headers: readonly string[]): string[] {
  return without(headers, (name) => name === 'referer' || name === 'origin');
}

export function withoutBodyHeaders(headers: readonly string[]): string[] {
  return without(headers, (name) => ABOUT_BODY.has(name));
}

/** All values of one header joined as RFC 9110 §5.3 says, or undefined when it is absent. */
export function headerValue(headers: readonly string[], wanted: string): string | undefined {
  const values: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() === wanted) values.push(headers[at + 1] ?? '');
  }
  return values.length === 0 ? undefined : values.join(', ');
}

function namedByConnection(headers: readonly string[]): Set<string> {
  const value = headerValue(headers, 'connection');
  if (value === undefined) return new Set();
  return new Set(value.split(',').map((name) => name.trim().toLowerCase()));
}

function without(headers: readonly string[], isDropped: (lowerCaseName: string) => boolean): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!isDropped(name.toLowerCase())) kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}
