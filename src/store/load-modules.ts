import type { VersionId } from '../ids.ts';
import type { ModuleRef, ModuleSource } from '../model.ts';
import type { Blobs } from './blobs.ts';

/** A version's modules with their bytes. Throws a plain `Error` when one is missing. */
export async function loadModules(
  blobs: Pick<Blobs, 'get'>,
  { spec, modules }: { readonly spec: { readonly id: VersionId }; readonly modules: readonly ModuleRef[] },
): Promise<ModuleSource[]> {
  return await Promise.all(
    modules.map(async ({ name, kind, sha256 }) => {
      const content = await blobs.get(sha256);
      if (content === undefined) throw new Error(`Cannot load version ${spec.id}: module "${name}" is missing`);
      return { name, kind, content };
    }),
  );
}
