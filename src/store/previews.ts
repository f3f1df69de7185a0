/** The Previews port: by which names the versions of a Worker can be visited. */
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { VersionAssets } from '../model.ts';

export interface PreviewNames {
  /** Newest first, up to `MAX_PREVIEW_VERSIONS`. */
  readonly versions: readonly VersionId[];
  /** The newest version of each. */
  readonly aliases: readonly (readonly [alias: string, version: VersionId])[];
  /** Of those versions that have static files. */
  readonly assets: readonly (readonly [version: VersionId, assets: VersionAssets])[];
}

export interface Previews {
  /** Nothing for a Worker that is not there, or has its previews switched off. */
  list(account: AccountId, worker: WorkerName): Promise<PreviewNames>;
}
