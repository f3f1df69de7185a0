/** The operator's token: from the environment, or made at the first start and kept in the data folder. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const TOKEN_BYTES = 32;

export interface AdminToken {
  readonly token: string;
  readonly path: string;
  /** It was made just now: show it, once. */
  readonly isNew: boolean;
}

/** `given` wins and is not stored. */
export function openAdminToken(dataDir: string, given: string | undefined): AdminToken {
  const path = join(dataDir, 'admin-token');
  if (given !== undefined) return { token: given, path, isNew: false };
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token.length > 0) {
      chmodSync(path, 0o600);
      return { token, path, isNew: false };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  writeFileSync(path, `${token}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  return { token, path, isNew: true };
}
