/** The files of a version, from what its upload's metadata say. */
import { type AssetConfig, type AssetFile, encodeManifest, filesOf, parseManifest } from '../../assets/index.ts';
import { PlatformError } from '../../errors.ts';
import type { VersionAssets } from '../../model.ts';
import type { Blobs } from '../../store/index.ts';
import type { WorkerKey } from '../names.ts';
import type { AssetUploads } from './asset-uploads.ts';
import { type AssetsMetadata, toAssetConfig, type VersionFlags, withFlags } from './assets-config.ts';

export interface AssetsOfUpload extends WorkerKey, VersionFlags {
  readonly assets: AssetsMetadata | undefined;
  /** Those of the newest version, to be kept. */
  readonly kept: VersionAssets | undefined;
  /** There is no code. */
  readonly isOnly: boolean;
}

/** Stores the manifest. Undefined when the version has no files. Throws `assetTokenInvalid` or `invalidUpload`. */
export async function storeVersionAssets(
  { uploads, blobs }: { uploads: AssetUploads; blobs: Blobs },
  upload: AssetsOfUpload,
): Promise<VersionAssets | undefined> {
  const { assets, kept, isOnly } = upload;
  if (assets === undefined && kept === undefined) return undefined;
  let files: Map<string, AssetFile>;
  let config: AssetConfig;
  if (assets?.jwt !== undefined) {
    files = await uploads.filesOf(upload, assets.jwt);
    config = toAssetConfig(assets.config, upload);
  } else if (kept !== undefined) {
    const bytes = await blobs.get(kept.manifest);
    if (bytes === undefined) throw new Error(`Cannot find the manifest ${kept.manifest}`);
    const manifest = parseManifest(bytes);
    files = filesOf(manifest);
    config = assets === undefined ? withFlags(manifest.config, upload) : toAssetConfig(assets.config, upload);
  } else {
    throw new PlatformError('invalidUpload', "Bad upload metadata: assets: there is no 'jwt', and nothing to keep");
  }
  const manifest = await blobs.put(encodeManifest(config, files));
  return isOnly ? { manifest, only: true } : { manifest };
}
