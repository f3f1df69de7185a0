import { toClientNetwork } from '../client-network.ts';
import type { AccountId } from '../ids.ts';

const SWEEP_AT = 10_000; // entries, before those that stand for nothing are taken away

/** 0 of any: no limit. */
export interface LoadLimitNumbers {
  readonly addressConnections: number;
  readonly addressRequests: number;
  /** WebSockets among them. */
  readonly accountRequests: number;
}

/** What a client's address, or an account, has under way. */
export interface Load {
  connections: number;
  requests: number;
}

/**
 * Keeps one client, or one account, from taking the room of all others. A client is an IPv4 address or an IPv6 /64; behind
 * a proxy that is believed, the address that it names.
 */
export class LoadLimits {
  readonly #numbers: LoadLimitNumbers;
  readonly #addresses = new Map<string, Load>();
  readonly #accounts = new Map<string, Load>();

  constructor(numbers: LoadLimitNumbers) {
    this.#numbers = numbers;
  }

  ofAddress(ip: string): Load {
    return find(this.#addresses, toClientNetwork(ip));
  }

  ofAccount(account: AccountId): Load {
    return find(this.#accounts, account);
  }

  mayConnect({ connections }: Load): boolean {
    const { addressConnections: limit } = this.#numbers;
    return limit === 0 || connections < limit;
  }

  addressMayAsk({ requests }: Load): boolean {
    const { addressRequests: limit } = this.#numbers;
    return limit === 0 || requests < limit;
  }

  accountMayTake({ requests }: Load): boolean {
    const { accountRequests: limit } = this.#numbers;
    return limit === 0 || requests < limit;
  }
}

function find(loads: Map<string, Load>, key: string): Load {
  let load = loads.get(key);
  if (load === undefined) {
    if (loads.size >= SWEEP_AT) sweep(loads);
    load = { connections: 0, requests: 0 };
    loads.set(key, load);
  }
  return load;
}

function sweep(loads: Map<string, Load>): void {
  for (const [key, { connections, requests }] of loads) if (connections + requests === 0) loads.delete(key);
}
