import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KEY_BYTES = 32;

/** A key that this platform alone needs: made at the first start, kept in the data folder. */
export function openKeyFile(dataDir: string, name: string): Uint8Array {
  const path = join(dataDir, name);
  try {
    const key = readFileSync(path);
    if (key.byteLength === KEY_BYTES) return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const key = randomBytes(KEY_BYTES);
  writeFileSync(path, key, { mode: 0o600 });
  return key;
}
