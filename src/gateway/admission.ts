import type { AccountId } from '../ids.ts';
import type { ClientRequest } from './client-request.ts';
import { type Load, type LoadLimitNumbers, LoadLimits } from './load-limits.ts';
import type { PageName } from './pages.ts';

/**
 * Who may connect and ask: not an account that is suspended or has used up its quota, and of an address or an account only so
 * much at a time. What is counted on a request's behalf is given back by `release`.
 */
export class Admission {
  readonly #limits: LoadLimits;
  readonly #suspended = new Set<AccountId>();
  /** They have used up their quota. */
  readonly #refused = new Set<AccountId>();
  /** Connections and requests turned away because there were too many. */
  overLimit = 0;

  constructor(limits: LoadLimitNumbers) {
    this.#limits = new LoadLimits(limits);
  }

  suspend(account: AccountId): void {
    this.#suspended.add(account);
  }

  resume(account: AccountId): void {
    this.#suspended.delete(account);
  }

  refuse(account: AccountId): void {
    this.#refused.add(account);
  }

  admit(account: AccountId): void {
    this.#refused.delete(account);
  }

  isSuspended(account: AccountId): boolean {
    return this.#suspended.has(account);
  }

  /** Why nothing of this account is served now. */
  refusalOf(account: AccountId): PageName | undefined {
    if (this.#suspended.has(account)) return 'accountSuspended';
    return this.#refused.has(account) ? 'overQuota' : undefined;
  }

  ofAddress(ip: string): Load {
    return this.#limits.ofAddress(ip);
  }

  /** Counts a connection of this address. False: it has too many already. */
  takeConnection(load: Load): boolean {
    if (!this.#limits.mayConnect(load)) {
      this.overLimit++;
      return false;
    }
    load.connections++;
    return true;
  }

  /** Counts the request among those of its address. False: there are too many. */
  takeOfAddress(request: ClientRequest, load: Load): boolean {
    if (!this.#limits.addressMayAsk(load)) {
      this.overLimit++;
      return false;
    }
    load.requests++;
    request.addressLoad = load;
    return true;
  }

  /** Counts the request among those of its account. False: there are too many. */
  takeOfAccount(request: ClientRequest, account: AccountId): boolean {
    const load = this.#limits.ofAccount(account);
    if (!this.#limits.accountMayTake(load)) {
      this.overLimit++;
      return false;
    }
    load.requests++;
    request.accountLoad = load;
    return true;
  }

  /** It has ended. */
  release({ addressLoad, accountLoad }: ClientRequest): void {
    if (addressLoad !== undefined) addressLoad.requests--;
    if (accountLoad !== undefined) accountLoad.requests--;
  }

  /** A WebSocket counts as a request of its account for as long as it is open. */
  openWebSocket(account: AccountId): void {
    this.#limits.ofAccount(account).requests++;
  }

  closeWebSocket(account: AccountId): void {
    this.#limits.ofAccount(account).requests--;
  }
}
