/** What relative URLs are relative to: nothing in a Worker; web-platform-tests have an address. */
import { toUSVString } from '../webidl.ts';
import { parseUrl } from './parse.ts';
import type { ParsedUrl } from './record.ts';

let baseUrl: ParsedUrl | undefined;

export function setBaseUrl(href: string): void {
  baseUrl = parseUrl(href, undefined);
}

/** Where the program itself is from, as far as it is from anywhere. */
export function baseHref(): string | undefined {
  return baseUrl?.href;
}

/** As the standard's "encoding-parse a URL" relative to the settings object; undefined for failure. */
export function parseRelative(text: string): ParsedUrl | undefined {
  return parseUrl(toUSVString(text), baseUrl);
}
