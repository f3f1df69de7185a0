/**
 * What a Request keeps of the Fetch standard that a server has little use for: checked as the standard says, so that a
 * slip shows here as it does elsewhere. Most requests have none of it, and no record.
 */
import { regExpExec } from '../runtime/intrinsics.ts';
import { baseHref, parseRelative } from '../url/relative.ts';
import { toDOMString } from '../webidl.ts';

export interface RequestSettings {
  readonly cache: string;
  readonly credentials: string;
  readonly integrity: string;
  readonly keepalive: boolean;
  readonly mode: string;
  /** A URL, `about:client` or, for none, nothing. */
  readonly referrer: string;
  readonly referrerPolicy: string;
}

/** Of a request that was told nothing else. */
export const DEFAULT_SETTINGS: RequestSettings = {
  cache: 'default',
  credentials: 'same-origin',
  integrity: '',
  keepalive: false,
  mode: 'cors',
  referrer: 'about:client',
  referrerPolicy: '',
};

const CACHE = /^(?:default|no-store|reload|no-cache|force-cache|only-if-cached)$/;
const CREDENTIALS = /^(?:omit|same-origin|include)$/;
const MODE = /^(?:same-origin|no-cors|cors)$/;
const PRIORITY = /^(?:high|low|auto)$/;
const DUPLEX = /^half$/;
const REFERRER_POLICY =
  /^(?:|no-referrer|no-referrer-when-downgrade|same-origin|origin|strict-origin|origin-when-cross-origin|strict-origin-when-cross-origin|unsafe-url)$/;
const SIMPLE_METHOD = /^(?:GET|HEAD|POST)$/; // Fetch, "CORS-safelisted method"

/** The settings of `init` over those of the request that it changes. Throws a TypeError for what is not one. */
export function readSettings(
  init: Record<string, unknown>,
  before: RequestSettings | undefined,
): RequestSettings | undefined {
  const { cache, credentials, duplex, integrity, keepalive, mode, priority, referrer, referrerPolicy, window } = init;
  if (window !== undefined && window !== null) fail("the window can only be 'null'");
  if (duplex !== undefined) toEnum('duplex', duplex, DUPLEX);
  if (priority !== undefined) toEnum('priority', priority, PRIORITY);
  if (
    cache === undefined &&
    credentials === undefined &&
    integrity === undefined &&
    keepalive === undefined &&
    mode === undefined &&
    referrer === undefined &&
    referrerPolicy === undefined
  ) {
    return before;
  }
  const from = before ?? DEFAULT_SETTINGS;
  const settings: RequestSettings = {
    cache: cache === undefined ? from.cache : toEnum('cache', cache, CACHE),
    credentials: credentials === undefined ? from.credentials : toEnum('credentials', credentials, CREDENTIALS),
    integrity: integrity === undefined ? from.integrity : toDOMString(integrity),
    keepalive: keepalive === undefined ? from.keepalive : Boolean(keepalive),
    mode: mode === undefined ? from.mode : toEnum('mode', mode, MODE),
    referrer: referrer === undefined ? from.referrer : toReferrer(toDOMString(referrer)),
    referrerPolicy:
      referrerPolicy === undefined ? from.referrerPolicy : toEnum('referrerPolicy', referrerPolicy, REFERRER_POLICY),
  };
  if (settings.cache === 'only-if-cached' && settings.mode !== 'same-origin') {
    fail("cache can be 'only-if-cached' only when mode is 'same-origin'");
  }
  return settings;
}

/** The checks that need the method and the kind of body. */
export function checkSettings({ mode, keepalive }: RequestSettings, method: string, streams: boolean): void {
  if (mode === 'no-cors' && regExpExec(SIMPLE_METHOD, method) === null) {
    fail(`the method ${method} is not allowed when mode is 'no-cors'`);
  }
  if (keepalive && streams) fail('keepalive is not possible with a body that is a stream');
}

function toReferrer(text: string): string {
  if (text === '') return '';
  const url = parseRelative(text);
  if (url === undefined) return fail(`the referrer is not a valid URL`);
  const base = baseHref();
  const isOurs = url.href === 'about:client' || (base !== undefined && originOf(url.href) !== originOf(base));
  return isOurs ? 'about:client' : url.href;
}

/** Of a URL with a host, in its normal form. */
export function originOf(href: string): string {
  return regExpExec(/^[a-z]+:\/\/(?:[^/?#@]*@)?[^/?#]*/, href)?.[0] ?? 'null';
}

function toEnum(name: string, value: unknown, allowed: RegExp): string {
  const text = toDOMString(value);
  return regExpExec(allowed, text) === null ? fail(`'${text}' is not a value of ${name}`) : text;
}

function fail(why: string): never {
  throw new TypeError(`Failed to construct 'Request': ${why}`);
}
