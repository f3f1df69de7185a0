import type { AccountId } from '../ids.ts';

/**
 * Whoever keeps something of accounts beside the registry: data, open connections, clocks. The composition root lists them
 * in the order in which they are to be told.
 */
export interface AccountData {
  /** The account has been suspended: end what runs on its behalf. */
  suspendAccount?(account: AccountId): void;
  /** The account is gone: delete what was its. Called again after a crash, also when there is nothing left. */
  deleteAccount?(account: AccountId): Promise<void>;
}
