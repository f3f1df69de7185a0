/** Where a request comes from, as far as that is known: what the broker makes `Referer` and `Origin` of. */
import { stringIndexOf, stringSlice } from '../runtime/intrinsics.ts';
import { baseHref } from '../url/relative.ts';
import { originOf, type RequestSettings } from './request-settings.ts';

/** What follows the redirect mode in a head: ` policy referrer origin`, or nothing, which is the rule. */
export function clientHead(settings: RequestSettings | undefined): string {
  const base = baseHref();
  if (base === undefined && settings === undefined) return '';
  const given = settings?.referrer ?? 'about:client';
  const referrer = given === 'about:client' ? (base ?? '') : given;
  const origin = base === undefined ? '' : originOf(base);
  if (referrer === '' && origin === '') return '';
  return ` ${settings?.referrerPolicy ?? ''} ${referrer} ${origin}`;
}

/** Throws what the standard's "main fetch" refuses a program for being from elsewhere. */
export function checkOrigin(url: string, settings: RequestSettings | undefined): void {
  const base = baseHref();
  if (base === undefined || settings?.mode !== 'same-origin' || originOf(base) === originOf(url)) return;
  throw new TypeError(`Cannot fetch ${url}: it is of another origin, and mode is 'same-origin'`);
}

/** The type of a response from the network. A program that is from nowhere has everything for its own. */
export function responseType(head: string, settings: RequestSettings | undefined): 'basic' | 'cors' | 'opaque' {
  const base = baseHref();
  if (base === undefined) return 'basic';
  const start = stringIndexOf(head, '\n', stringIndexOf(head, '\n') + 1) + 1;
  const url = stringSlice(head, start, stringIndexOf(head, '\n', start));
  if (originOf(base) === originOf(url)) return 'basic';
  return settings?.mode === 'no-cors' ? 'opaque' : 'cors';
}
