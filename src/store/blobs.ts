/**
 * The Blobs port: bytes by their SHA-256, written once. Modules, source maps, static files.
 *
 * Equal contents are one blob, whoever put them. So a blob goes only when nobody needs it: who stores a reference to what he
 * put keeps a hold from before the put until the reference is stored.
 */
import type { OpenBlob } from '../blob-file.ts';
import type { Sha256 } from '../ids.ts';

export interface Blobs {
  /** Stores the bytes; durable once resolved. Storing the same bytes again costs a look. */
  put(bytes: Uint8Array): Promise<Sha256>;
  /** `put` for many at once, cheaper than one by one. Hashes come in the order of the contents. */
  putMany(contents: readonly Uint8Array[]): Promise<Sha256[]>;
  /** `undefined` when there is none. Throws a plain `Error` when what is stored does not have this hash. */
  get(sha256: Sha256): Promise<Uint8Array | undefined>;
  /** For those that are too large to have in memory. Not checked against the hash. `undefined` when there is none. */
  open(sha256: Sha256): Promise<OpenBlob | undefined>;
  has(sha256: Sha256): Promise<boolean>;

  /** Until it is disposed, whatever has been put since stays, also what was there before. */
  hold(): Disposable;
  /**
   * Removes the candidates that are neither held nor used. `usedOf` tells which are, and sees every reference that was
   * stored before the hold for it ended. A put of what is being removed waits, and stores it again.
   */
  removeUnused(
    candidates: readonly Sha256[],
    usedOf: (hashes: readonly Sha256[]) => Promise<ReadonlySet<Sha256>>,
  ): Promise<{ removed: number; held: Sha256[] }>;
  /** All that are there, some at a time, in no promised order. */
  list(): AsyncIterable<readonly Sha256[]>;
}
