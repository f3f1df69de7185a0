/** What answers `env.ASSETS`: the files of the version that asks, if it is one of the account that asks. */
import { serveAssets, Sites } from '../assets/index.ts';
import type { ServeResource } from '../cell/index.ts';
import type { VersionId } from '../ids.ts';
import type { Blobs, Registry } from '../store/index.ts';

export function createAssetResource({ registry, blobs }: { registry: Registry; blobs: Blobs }): ServeResource {
  const sites = new Sites(async (manifest) => {
    const bytes = await blobs.get(manifest);
    if (bytes === undefined) throw new Error(`Cannot read manifest ${manifest}: it is not there`);
    return bytes;
  });
  return (exchange, request) =>
    serveAssets(
      {
        site: async () => {
          const version = await registry.versionById(request.id as VersionId);
          const manifest = version?.spec.account === request.account ? version.spec.assets?.manifest : undefined;
          if (manifest === undefined) throw new Error(`Version ${request.id} has no assets`);
          return sites.get(manifest) ?? (await sites.load(manifest));
        },
        open: (sha256) => blobs.open(sha256),
      },
      exchange,
      request,
    );
}
