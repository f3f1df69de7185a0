import type { VersionId } from '../ids.ts';
import type { VersionSpec } from '../model.ts';
import type { Registry, VersionRecord } from '../store/index.ts';
import { type Vault, withFreshKeys } from './vault.ts';

export type OpenVersion = Omit<VersionRecord, 'secretsKey' | 'spec'> & { readonly spec: VersionSpec };

/** A version with its secrets in plain form. Whoever asks must need them: to run the code, or to make the next version. */
export async function openVersion(
  { registry, vault }: { readonly registry: Pick<Registry, 'versionById'>; readonly vault: Pick<Vault, 'open'> },
  id: VersionId,
): Promise<OpenVersion | undefined> {
  return await withFreshKeys(async () => {
    const record = await registry.versionById(id);
    if (record === undefined) return undefined;
    const { secretsKey, spec, ...rest } = record;
    return { ...rest, spec: { ...spec, bindings: await vault.open(spec, { bindings: spec.bindings, secretsKey }) } };
  });
}
