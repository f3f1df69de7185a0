/** Names and values of headers that are common enough to be looked up rather than checked. */
import { objectCreate } from '../runtime/intrinsics.ts';

const KNOWN_NAMES = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Age',
  'Authorization',
  'Cache-Control',
  'Connection',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'Cookie',
  'Date',
  'ETag',
  'Host',
  'Last-Modified',
  'Location',
  'Origin',
  'Server',
  'Set-Cookie',
  'User-Agent',
  'Vary',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Request-Id',
];

/** Lower-case forms of common names: saves the check and the conversion. */
export const normalized: Record<string, string> = objectCreate(null);
for (const name of KNOWN_NAMES) {
  const lower = name.toLowerCase();
  normalized[name] = lower;
  normalized[lower] = lower;
}

const KNOWN_VALUES = [
  '*',
  'application/javascript',
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'image/png',
  'image/svg+xml',
  'no-cache',
  'no-store',
  'nosniff',
  'text/css',
  'text/event-stream',
  'text/html',
  'text/html; charset=utf-8',
  'text/html; charset=UTF-8',
  'text/html;charset=UTF-8',
  'text/html;charset=utf-8',
  'text/plain',
  'text/plain; charset=utf-8',
  'text/plain;charset=UTF-8',
  'text/plain;charset=utf-8',
];

/**
 * Common values, each under itself: saves the look at each character. Not a cache of what has been seen: a piece of a
 * large string that is kept keeps the whole.
 */
export const valid: Record<string, string> = objectCreate(null);
for (const value of KNOWN_VALUES) valid[value] = value;
