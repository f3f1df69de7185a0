import { checkKey, checkMetadata, checkValue, toExpiration } from '../../kv/index.ts';
import type { KvEntry } from '../../store/index.ts';
import { checked } from './names.ts';

/** As the API takes it. */
export interface NewEntry {
  readonly key: string;
  readonly value: Buffer;
  readonly metadata?: unknown;
  readonly expiration?: number | undefined;
  readonly expiration_ttl?: number | undefined;
}

/** Throws `kvLimit` and others for what KV does not take. `now`: ms since 1970. */
export function toEntry({ key, value, metadata, expiration, expiration_ttl: ttl }: NewEntry, now: number): KvEntry {
  return checked(`put KV key "${key.slice(0, 100)}"`, () => {
    checkKey(key);
    checkValue(value.byteLength);
    const json = metadata === undefined ? undefined : JSON.stringify(metadata);
    if (json !== undefined) checkMetadata(json);
    const expiresAt = toExpiration({ expiration, ttl }, now);
    return {
      key,
      value,
      ...(json !== undefined && { metadata: json }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
  });
}
