/**
 * The KvStore port: tenants' key-value namespaces and what is in them.
 *
 * Strongly consistent: what was acknowledged is durable, and every read that begins later sees it. A namespace belongs
 * to one account; asked for with any other it does not exist (`kvNamespaceNotFound`). Keys are ordered by their UTF-8
 * bytes. Times are seconds since 1970; what has expired is gone, whether or not it still takes room.
 */
import type { AccountId } from '../ids.ts';

export interface KvNamespace {
  /** Unique among all accounts, and never used again. */
  readonly id: string;
  /** Unique in its account. */
  readonly title: string;
}

/** Names a namespace, and says on whose behalf. */
export interface KvAddress {
  readonly account: AccountId;
  readonly namespace: string;
}

export interface KvKey {
  readonly key: string;
  /** JSON text. */
  readonly metadata?: string;
  readonly expiresAt?: number;
}

export interface KvEntry extends KvKey {
  readonly value: Uint8Array;
}

/** Values in the order of the keys asked for; `tooLarge`: together they have more bytes than was allowed. */
export type KvRead =
  | { readonly entries: readonly (KvEntry | undefined)[]; readonly tooLarge?: never }
  | { readonly tooLarge: number; readonly entries?: never };

export interface KvRange {
  readonly prefix: string;
  /** Only keys behind this one. */
  readonly after?: string;
  readonly limit: number;
}

export interface KvPage {
  readonly keys: readonly KvKey[];
  /** There are more behind the last one. */
  readonly more: boolean;
}

export interface KvStore extends AsyncDisposable {
  /** Throws `kvNamespaceExists`, and `kvLimit` when the account has `MAX_KV_NAMESPACES`. */
  createNamespace(account: AccountId, namespace: KvNamespace): Promise<void>;
  /** Throws `kvNamespaceExists`. */
  renameNamespace(address: KvAddress, title: string): Promise<void>;
  /** With all that is in it. */
  deleteNamespace(address: KvAddress): Promise<void>;
  namespace(address: KvAddress): Promise<KvNamespace | undefined>;
  /** By title. */
  listNamespaces(
    account: AccountId,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ readonly namespaces: readonly KvNamespace[]; readonly total: number }>;

  read(address: KvAddress, keys: readonly string[], options: { readonly maxBytes: number }): Promise<KvRead>;
  /** All of them, or none when it throws. Throws `kvFull` when the account would have more than `MAX_ACCOUNT_KV_BYTES`. */
  put(address: KvAddress, entries: readonly KvEntry[]): Promise<void>;
  /** Also what is not there. */
  delete(address: KvAddress, keys: readonly string[]): Promise<void>;
  list(address: KvAddress, range: KvRange): Promise<KvPage>;

  /** All namespaces of an account. Again is fine. */
  deleteAccount(account: AccountId): Promise<void>;
  close(): Promise<void>;
}
