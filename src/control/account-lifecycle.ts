import { PlatformError } from '../errors.ts';
import type { AccountId } from '../ids.ts';
import type { Account, AccountData, Registry } from '../store/index.ts';
import type { ControlPlatform } from './platform.ts';

export interface AccountLifecycleDeps {
  readonly registry: Registry;
  readonly platform: Pick<ControlPlatform, 'suspendAccount' | 'resumeAccount' | 'withdrawMany'>;
  /** Told in this order. */
  readonly data: readonly AccountData[];
}

/**
 * Suspends, resumes and deletes accounts, everywhere.
 *
 * The registry comes first: whatever starts meanwhile, or after a crash, finds the new status there.
 */
export class AccountLifecycle {
  readonly #deps: AccountLifecycleDeps;

  constructor(deps: AccountLifecycleDeps) {
    this.#deps = deps;
  }

  /** Resolves when its Workers answer 403 and nothing of it runs any more. */
  async suspend(id: AccountId): Promise<Account> {
    const account = await this.#deps.registry.setAccountStatus(id, 'suspended');
    await this.#end(id);
    return account;
  }

  async resume(id: AccountId): Promise<Account> {
    const account = await this.#deps.registry.setAccountStatus(id, 'active');
    await this.#deps.platform.resumeAccount(id);
    return account;
  }

  /** Resolves when nothing of it is left. Throws `accountNotSuspended` unless it is suspended or `force` is given. */
  async delete(id: AccountId, { force }: { force: boolean }): Promise<void> {
    const { registry, platform } = this.#deps;
    const account = await registry.account(id);
    if (account === undefined) throw new PlatformError('notFound', `There is no account '${id}'`);
    if (account.status !== 'suspended' && !force) {
      throw new PlatformError(
        'accountNotSuspended',
        `Cannot delete account '${id}': it is active; suspend it first, or ask with ?force=true`,
      );
    }
    const workers = await registry.deleteAccount(id);
    await this.#end(id);
    await platform.withdrawMany(workers.map((worker) => ({ account: id, worker })));
    await this.#finishDeletion(id);
  }

  /** To be called at the start: ends the deletions that a crash cut short. */
  async finishDeletions(): Promise<void> {
    const accounts = await this.#deps.registry.withdrawnAccounts();
    for (const { id, status } of accounts) {
      // oxlint-disable-next-line no-await-in-loop -- there is one, if any
      if (status === 'deleting') await this.#finishDeletion(id);
    }
  }

  async #finishDeletion(id: AccountId): Promise<void> {
    const { registry, platform, data } = this.#deps;
    for (const store of data) {
      // oxlint-disable-next-line no-await-in-loop -- in their order: one may need what the next one has
      await store.deleteAccount?.(id);
    }
    await registry.forgetAccount(id);
    // The id may be given to a new account from here on.
    await platform.resumeAccount(id);
  }

  async #end(id: AccountId): Promise<void> {
    const { platform, data } = this.#deps;
    await platform.suspendAccount(id);
    for (const store of data) store.suspendAccount?.(id);
  }
}
