/**
 * The AssetIndex port: which static files an account has uploaded, and uploads that are under way. Their bytes are in
 * the blob store.
 *
 * Clients name a file by a hash of their own, which nobody checks. So it means something within its account only: there
 * it stands for the bytes that came with it first.
 */
import type { AccountId, Sha256, WorkerName } from '../ids.ts';

export interface AssetEntry {
  /** 32 hex digits, the client's. */
  readonly hash: string;
  readonly sha256: Sha256;
  readonly bytes: number;
  /** Content type; null for none. */
  readonly type: string | null;
}

/** What a file is to be, by its path. */
export type UploadManifest = Readonly<Record<string, { readonly hash: string; readonly size: number }>>;

export interface AssetUpload {
  readonly id: string;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly manifest: UploadManifest;
  readonly expiresOn: string;
}

/** Files and bytes that an account may have. */
export interface AssetQuota {
  readonly files: number;
  readonly bytes: number;
}

/** Durable once resolved. Whatever is asked for an account finds nothing of another. */
export interface AssetIndex {
  /** By hash, those that the account has. */
  find(account: AccountId, hashes: readonly string[]): Promise<Map<string, AssetEntry>>;
  usage(account: AccountId): Promise<AssetQuota>;
  /** Forgets files but for those of uploads under way and those that `isUsed`. Resolves with how many it forgot. */
  forgetUnused(account: AccountId, isUsed: (entry: AssetEntry) => boolean): Promise<number>;
  /** Forgets everything of the account. */
  deleteAccount(account: AccountId): Promise<void>;

  /** `missing`: hash and size of what is to come. Uploads whose time has long been over are forgotten at the same time. */
  begin(
    upload: AssetUpload,
    options: { readonly missing: ReadonlyMap<string, number>; readonly now: string },
  ): Promise<void>;
  /** Undefined when there is none, or its time is over. */
  upload(account: AccountId, id: string, now: string): Promise<AssetUpload | undefined>;
  /** By hash, the size of those files that the upload is to bring. */
  wanted(id: string, hashes: readonly string[]): Promise<Map<string, number>>;
  /**
   * Files that have come. Resolves with whether they were the last. Throws `assetLimit` past the quota, and
   * `assetUploadInvalid` for a hash that stands for other bytes already; then nothing changed.
   */
  add(
    upload: Pick<AssetUpload, 'id' | 'account'>,
    entries: readonly AssetEntry[],
    quota: AssetQuota,
  ): Promise<{ complete: boolean }>;
}
