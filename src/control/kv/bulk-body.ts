/** What the body of a bulk request says: checked entry by entry, up to the first that is wrong. */
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { MAX_KV_BULK_ENTRIES } from '../../limits.ts';
import type { KvEntry } from '../../store/index.ts';
import { describeIssues, parseJson } from '../json.ts';
import { toEntry } from './entry.ts';

const BulkEntry = z.object({
  key: z.string(),
  value: z.string(),
  base64: z.boolean().nullish(),
  metadata: z.unknown().optional(),
  expiration: z.number().nullish(),
  expiration_ttl: z.number().nullish(),
});
export const BulkPut = z.array(BulkEntry).max(MAX_KV_BULK_ENTRIES);
export const BulkKeys = z.array(z.string()).max(MAX_KV_BULK_ENTRIES);

/** Throws `badRequest` or `kvLimit`. `now`: ms since 1970. */
export function parseBulkPut(bytes: Uint8Array, now: number): KvEntry[] {
  return parseEach(bytes, BulkEntry, ({ value, base64, expiration, expiration_ttl, ...entry }) =>
    toEntry(
      {
        ...entry,
        value: Buffer.from(value, base64 === true ? 'base64' : 'utf8'),
        expiration: expiration ?? undefined,
        expiration_ttl: expiration_ttl ?? undefined,
      },
      now,
    ),
  );
}

/** Throws `badRequest`. */
export function parseBulkKeys(bytes: Uint8Array): string[] {
  return parseEach(bytes, z.string(), (key) => key);
}

function parseEach<T extends z.ZodType, R>(bytes: Uint8Array, schema: T, take: (item: z.output<T>) => R): R[] {
  const items = toArray(bytes);
  if (items.length > MAX_KV_BULK_ENTRIES) {
    throw bad(`${items.length} entries, limit is ${MAX_KV_BULK_ENTRIES}`);
  }
  return items.map((item, i) => {
    const parsed = schema.safeParse(item);
    if (parsed.success) return take(parsed.data);
    const issues = parsed.error.issues.map(({ path, message }) => ({ path: [i, ...path], message }));
    throw bad(describeIssues({ issues }));
  });
}

function toArray(bytes: Uint8Array): readonly unknown[] {
  let json: unknown;
  try {
    json = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw bad((error as Error).message);
  }
  if (!Array.isArray(json)) throw bad('it is not an array');
  return json as readonly unknown[];
}

function bad(reason: string): PlatformError {
  return new PlatformError('badRequest', `Bad request body: ${reason}`);
}
