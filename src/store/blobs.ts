/**
 * The Blobs port: bytes by their SHA-256, written once. Modules, source maps, static files.
 *
 * Nothing deletes a blob yet: one that no version names any more stays on disk until a collector exists.
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
}
