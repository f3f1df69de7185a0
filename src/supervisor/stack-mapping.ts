/** Invocation records with their stacks mapped, by the source maps that were uploaded with the version. */
import type { AccountId, VersionId } from '../ids.ts';
import type { ModuleRef, InvocationRecord } from '../model.ts';
import { isSameName, mapRecord, type MapFiles, type SourceMapper } from '../source-maps/index.ts';
import type { Blobs, Registry, VersionRecord } from '../store/index.ts';
import { MAX_SOURCE_MAP_BYTES } from '../limits.ts';

export interface StackMappingDeps {
  readonly mapper: Pick<SourceMapper, 'map'>;
  readonly registry: Pick<Registry, 'versionById'>;
  readonly blobs: Pick<Blobs, 'get'>;
}

const MAX_ID_CHARS = 200;

export interface StackMapping {
  /** Undefined when there is nothing to map in it. */
  readonly mapStacks: (record: InvocationRecord) => Promise<InvocationRecord> | undefined;
  /** Texts with frames in them, of one version. */
  readonly mapTexts: (account: AccountId, version: VersionId, texts: readonly string[]) => Promise<readonly string[]>;
}

export function createStackMapping({ mapper, registry, blobs }: StackMappingDeps): StackMapping {
  const mapTexts: StackMapping['mapTexts'] = (account, version, texts) => {
    const find = async (): Promise<VersionRecord | undefined> => {
      const found = await registry.versionById(version);
      return found?.spec.account === account ? found : undefined;
    };
    const files: MapFiles = {
      sourceMap: async (name) => read(blobs, (await find())?.sourceMaps, { name, maxBytes: MAX_SOURCE_MAP_BYTES }),
      module: async (name) => read(blobs, (await find())?.modules, { name, maxBytes: Number.POSITIVE_INFINITY }),
    };
    return mapper.map({ owner: account, key: `${account}/${version}`, texts, files });
  };
  const mapStacks: StackMapping['mapStacks'] = (record) => {
    const { account, version } = record;
    // A cell wrote it, and a cell is not trusted.
    if (!isId(account) || !isId(version)) return undefined;
    return mapRecord(record, (texts) => mapTexts(account, version, texts));
  };
  return { mapStacks, mapTexts };
}

async function read(
  blobs: Pick<Blobs, 'get'>,
  refs: readonly ModuleRef[] | undefined,
  { name, maxBytes }: { name: string; maxBytes: number },
): Promise<Uint8Array | undefined> {
  const ref = refs?.find((candidate) => isSameName(candidate.name, name));
  return ref === undefined || ref.bytes > maxBytes ? undefined : await blobs.get(ref.sha256);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_ID_CHARS;
}
