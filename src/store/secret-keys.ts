/**
 * The SecretKeys port: the accounts' data keys, wrapped by the master key, and what is sealed with them. It never sees a
 * key that opens anything.
 *
 * Data keys belong to a generation. A rotation begins by counting the generation up: from then on `ensure` gives keys of
 * the new one. What is sealed with older ones is `outdated` until it has been sealed again; then their keys go. All
 * of it can be interrupted anywhere.
 */
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { StoredBinding } from '../model.ts';

/** A data key's UUID. */
export type DataKeyId = string & { readonly __brand: 'DataKeyId' };

export interface WrappedKey {
  readonly id: DataKeyId;
  readonly account: AccountId;
  /** The key itself, sealed by the master key. */
  readonly wrapped: string;
}

export interface SecretKeysState {
  /** Of the key that all data keys are wrapped with; undefined before the first start has named one. */
  readonly masterKeyId: string | undefined;
  readonly generation: number;
}

/** A version with something sealed in it. */
export interface SealedVersion {
  readonly id: VersionId;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly secretsKey: DataKeyId;
  readonly bindings: readonly StoredBinding[];
}

export interface ResealedVersion {
  readonly id: VersionId;
  readonly from: DataKeyId;
  readonly to: DataKeyId;
  readonly bindings: readonly StoredBinding[];
}

/**
 * A key was replaced while somebody used it: take the one there is now and do it again. Thrown by `ensure`, and by
 * `Registry.createVersion` for a draft whose key is gone.
 */
export class StaleKeyError extends Error {
  override readonly name = 'StaleKeyError';
}

/** Each call is atomic, and durable once resolved. */
export interface SecretKeys {
  state(): Promise<SecretKeysState>;
  find(id: DataKeyId): Promise<WrappedKey | undefined>;
  /**
   * The account's key of this generation: the one it has, else the candidate, which is stored. Throws StaleKeyError when
   * the candidate is wrapped with another master key than the stored ones are, `notFound` when there is no such account.
   */
  ensure(candidate: WrappedKey, masterKeyId: string): Promise<WrappedKey>;
  /** The account's key of this generation, if it has one. */
  current(account: AccountId): Promise<WrappedKey | undefined>;

  /** Begins a rotation. Resolves with the new generation. */
  nextGeneration(): Promise<number>;
  /** How many versions are sealed with keys of earlier generations. */
  countOutdated(): Promise<number>;
  listOutdated(limit: number): Promise<SealedVersion[]>;
  /** Replaces what is sealed in versions: not in one whose key is not `from` any more, or that is gone. */
  reseal(versions: readonly ResealedVersion[]): Promise<void>;
  /** Forgets the keys of earlier generations that nothing is sealed with, wiped from the store. Resolves with their number. */
  dropOutdated(): Promise<number>;

  /** Wraps all data keys anew, at once, and names the master key that they are wrapped with. */
  rewrap(masterKeyId: string, wrap: (key: WrappedKey) => string): Promise<void>;
}
