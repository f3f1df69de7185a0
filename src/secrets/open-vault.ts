import { PlatformError } from '../errors.ts';
import type { SecretKeys } from '../store/index.ts';
import { createKeyFile, isMissing, type KeySource, readMasterKey } from './key-source.ts';
import { Vault } from './vault.ts';

export interface VaultOptions {
  readonly keys: SecretKeys;
  readonly source: KeySource;
  /** Where the master key was before: everything is wrapped with the one of `source` from here on. */
  readonly oldSource?: KeySource | undefined;
  /** `source` is the file that is made at the first start, since the operator named none. */
  readonly mayCreate: boolean;
  readonly onCreated: (path: string) => void;
}

/**
 * Opens the vault with the master key that the stored secrets need. Throws `secretsKey`, having changed nothing, when it
 * is another one: a platform that starts without its secrets would serve Workers that lack them.
 */
export async function openVault({ keys, source, oldSource, mayCreate, onCreated }: VaultOptions): Promise<Vault> {
  const { masterKeyId } = await keys.state();
  if (mayCreate && isMissing(source)) {
    if (masterKeyId !== undefined) throw wrongKey(masterKeyId, `${source.value} is gone`);
    createKeyFile(source.value);
    onCreated(source.value);
  }
  const master = await readMasterKey(source);
  if (masterKeyId === undefined) await keys.rewrap(master.id, ({ wrapped }) => wrapped); // there is nothing yet: names it
  if (masterKeyId === undefined || masterKeyId === master.id) return new Vault(keys, master);
  if (oldSource === undefined) throw wrongKey(masterKeyId, `this one has the id ${master.id}`);
  const old = await readMasterKey(oldSource);
  if (old.id !== masterKeyId) {
    throw wrongKey(masterKeyId, `this one has the id ${master.id}, and the old one ${old.id}`);
  }
  const vault = new Vault(keys, old);
  await vault.replaceMaster(master);
  return vault;
}

function wrongKey(needed: string, reason: string): PlatformError {
  return new PlatformError(
    'secretsKey',
    `Cannot open the secrets: they need the master key with the id ${needed}, and ${reason}. Nothing was changed. ` +
      'Give the right key with --secrets-key; to go over to another, also the one before with --old-secrets-key',
  );
}
