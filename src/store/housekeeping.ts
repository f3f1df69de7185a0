/**
 * The Housekeeping port: which versions are old enough to go, and which blobs nobody needs any more.
 *
 * The same store as the Registry's and the AssetIndex's: what those write and forget is known here at once.
 */
import type { AccountId, Sha256, VersionId, WorkerName } from '../ids.ts';

/** Of one account. The bytes are those of modules and source maps, the same content once. */
export interface VersionQuota {
  readonly versions: number;
  readonly bytes: number;
}

export interface TrimmedVersion {
  readonly worker: WorkerName;
  readonly id: VersionId;
}

/** Where a trimming goes on. */
export interface TrimCursor {
  readonly createdMs: number;
  readonly worker: number;
  readonly number: number;
}

/** Each call is atomic, and durable once resolved. */
export interface Housekeeping {
  usage(account: AccountId): Promise<VersionQuota>;
  /** Those that have more than that. */
  accountsOver(quota: VersionQuota): Promise<AccountId[]>;
  /**
   * Takes old versions away, the oldest first, until the account has no more than the quota, and with each the earlier
   * deployments that it was part of: nothing that is listed leads to what is gone. Numbers are not given again.
   *
   * Stays: what the current deployment and the one before name, also with no traffic; the newest version of each Worker; and what a
   * rollback without an id goes to. So an account may have more than its quota.
   *
   * Looks at a hundred versions at most. `next` is there when there may be more to take.
   */
  trimVersions(
    account: AccountId,
    quota: VersionQuota,
    from?: TrimCursor,
  ): Promise<{ removed: TrimmedVersion[]; next?: TrimCursor }>;

  /** Those among them that a version or a file of an account has. */
  usedBlobs(hashes: readonly Sha256[]): Promise<Set<Sha256>>;
  /** Blobs that lost a user since they were settled, in the order of their hashes. */
  looseBlobs(options: { readonly after?: Sha256 | undefined; readonly limit: number }): Promise<Sha256[]>;
  /** They have been looked at. */
  settleBlobs(hashes: readonly Sha256[]): Promise<void>;
}
