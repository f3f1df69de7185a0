/** For tests: a vault with a master key of its own. */
import { randomBytes } from 'node:crypto';
import type { SecretKeys } from '../store/index.ts';
import { MasterKey, toKey } from './master-key.ts';
import { KEY_BYTES } from './seal.ts';
import { Vault } from './vault.ts';

export function createTestMasterKey(): MasterKey {
  return new MasterKey(toKey(randomBytes(KEY_BYTES)));
}

export async function openTestVault(keys: SecretKeys, master: MasterKey = createTestMasterKey()): Promise<Vault> {
  await keys.rewrap(master.id, ({ wrapped }) => wrapped);
  return new Vault(keys, master);
}
