/** What keys, values, metadata and expirations may be: the rules, and the texts, of Workers' KV. */
import { MAX_KV_KEY_BYTES, MAX_KV_METADATA_BYTES, MAX_KV_VALUE_BYTES, MIN_KV_TTL_S } from '../limits.ts';

/** Says what is wrong, with the status that KV's API gives it. */
export class KvRuleError extends Error {
  override readonly name = 'KvRuleError';
  readonly status: 400 | 413 | 414;

  constructor(status: KvRuleError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

export function checkKey(key: string): void {
  if (key === '') throw new KvRuleError(400, 'Key name cannot be empty.');
  if (key === '.' || key === '..') throw new KvRuleError(400, `"${key}" is not allowed as a key name.`);
  checkKeyLength(key);
}

/** Of a prefix too, which may be empty. */
export function checkKeyLength(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes <= MAX_KV_KEY_BYTES) return;
  throw new KvRuleError(414, `UTF-8 encoded length of ${bytes} exceeds key length limit of ${MAX_KV_KEY_BYTES}.`);
}

export function checkValue(bytes: number): void {
  if (bytes <= MAX_KV_VALUE_BYTES) return;
  throw new KvRuleError(413, `Value length of ${bytes} exceeds limit of ${MAX_KV_VALUE_BYTES}.`);
}

/** `json`: the text that is stored. */
export function checkMetadata(json: string): void {
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_KV_METADATA_BYTES) {
    throw new KvRuleError(413, `Metadata length of ${bytes} exceeds limit of ${MAX_KV_METADATA_BYTES}.`);
  }
  if (!isJson(json)) throw new KvRuleError(400, 'Metadata is not JSON.');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * When an entry expires, in seconds since 1970: what is given of the two decides, a time to live before a time. `now`: ms
 * since 1970.
 */
export function toExpiration(
  { expiration, ttl }: { readonly expiration?: number | undefined; readonly ttl?: number | undefined },
  now: number,
): number | undefined {
  const seconds = Math.floor(now / 1000);
  if (ttl !== undefined) {
    if (!Number.isSafeInteger(ttl) || ttl <= 0) {
      throw new KvRuleError(400, `Invalid expiration_ttl of ${ttl}. Please specify integer greater than 0.`);
    }
    if (ttl < MIN_KV_TTL_S) {
      throw new KvRuleError(400, `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least ${MIN_KV_TTL_S}.`);
    }
    return seconds + ttl;
  }
  if (expiration === undefined) return undefined;
  if (!Number.isSafeInteger(expiration) || expiration <= seconds) {
    throw new KvRuleError(
      400,
      `Invalid expiration of ${expiration}. Please specify integer greater than the current number of seconds since the UNIX epoch.`,
    );
  }
  if (expiration < seconds + MIN_KV_TTL_S) {
    throw new KvRuleError(
      400,
      `Invalid expiration of ${expiration}. Expiration times must be at least ${MIN_KV_TTL_S} seconds in the future.`,
    );
  }
  return expiration;
}

/** Names the last key of a page, for who asks for the next one. */
export function toCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** '' for ''. */
export function fromCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (toCursor(key) === cursor && Buffer.byteLength(key) <= MAX_KV_KEY_BYTES) return key;
  throw new KvRuleError(400, 'Invalid cursor: it is not one that a list has given.');
}
