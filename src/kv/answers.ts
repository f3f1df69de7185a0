/** Bodies of KV's answers. */
import { toAsciiJson } from '../ascii-json.ts';
import type { KvEntry, KvPage } from '../store/index.ts';
import { toCursor } from './rules.ts';

const ABSENT = 0xffffffff;
const FIXED_BYTES = 8;

/** Of each: u32 length of the value (or `ABSENT`), u32 length of the metadata, metadata, value; numbers little-endian. */
export function packEntries(entries: readonly (KvEntry | undefined)[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const fixed = Buffer.alloc(FIXED_BYTES);
    const metadata = Buffer.from(entry?.metadata ?? '');
    fixed.writeUInt32LE(entry?.value.byteLength ?? ABSENT);
    fixed.writeUInt32LE(metadata.byteLength, 4);
    return [fixed, metadata, entry?.value ?? Buffer.alloc(0)];
  });
  return Buffer.concat(parts);
}

/** What `list()` gives, as JSON. */
export function toListBody({ keys, more }: KvPage): Buffer {
  const list = keys.map(({ key, expiresAt, metadata }) => {
    const expiration = expiresAt === undefined ? '' : `,"expiration":${expiresAt}`;
    return `{"name":${toAsciiJson(key)}${expiration}${metadata === undefined ? '' : `,"metadata":${metadata}`}}`;
  });
  const last = keys.at(-1)?.key ?? '';
  return Buffer.from(`{"keys":[${list.join(',')}],"cursor":${more ? `"${toCursor(last)}"` : 'null'}}`);
}
