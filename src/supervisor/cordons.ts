/**
 * Which cordon a Worker runs in: cells of different cordons share nothing, and a cell serves the Workers of its own and no
 * others. `default` for all whose account has no other level of trust; an account that is isolated has a cordon of its own;
 * and so has, apart from that, what of an account is in quarantine, and the one Worker of it that is being profiled.
 */
import type { WorkerKey } from '../control/index.ts';
import { type CordonTable, DEFAULT_CORDON } from '../gateway/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { AccountSettings } from '../store/index.ts';

/** So many Workers of an account in quarantine at once, and all others of it join them: it is not the Workers. */
const WORKERS_UNTIL_ACCOUNT = 3;

export type ListQuarantined = () => readonly { readonly account: string; readonly worker: string }[];

export class Cordons {
  readonly #accounts = new Map<AccountId, string>();
  readonly #listQuarantined: ListQuarantined;
  /** Which Worker of an account is being profiled, and whether requests go there yet. */
  readonly #profiled = new Map<AccountId, { readonly worker: WorkerName; readonly serves: boolean }>();

  constructor(listQuarantined: ListQuarantined) {
    this.#listQuarantined = listQuarantined;
  }

  /** What the operator set for an account. */
  set(id: AccountId, { cordon, isolation }: Pick<AccountSettings, 'cordon' | 'isolation'>): void {
    if (isolation === 'process') this.#accounts.set(id, `p.${id}`);
    else if (cordon !== undefined && cordon !== DEFAULT_CORDON) this.#accounts.set(id, `t.${cordon}`);
    else this.#accounts.delete(id);
  }

  of({ account, worker }: WorkerKey): string {
    const profiled = this.#profiled.get(account);
    if (profiled?.serves === true && profiled.worker === worker) return profileOf(account);
    const struck = this.#listQuarantined().filter((other) => other.account === account);
    const isQuarantined = struck.length >= WORKERS_UNTIL_ACCOUNT || struck.some((other) => other.worker === worker);
    return isQuarantined ? quarantineOf(account) : (this.#accounts.get(account) ?? DEFAULT_CORDON);
  }

  /** Where code that nobody has seen run is tried out: an account that has cost a cell tries it apart from others. */
  ofTrial({ account, worker }: WorkerKey): string {
    const isKnown = this.#listQuarantined().some((other) => other.account === account);
    return isKnown ? quarantineOf(account) : this.of({ account, worker });
  }

  /** A cordon for the profile of this Worker, which nothing goes to yet. One for each account at a time. */
  openProfile({ account, worker }: WorkerKey): string {
    this.#profiled.set(account, { worker, serves: false });
    return profileOf(account);
  }

  /** From here on the Worker belongs to it. */
  serveProfile({ account, worker }: WorkerKey): void {
    this.#profiled.set(account, { worker, serves: true });
  }

  closeProfile({ account }: WorkerKey): void {
    this.#profiled.delete(account);
  }

  /**
   * Whether a cell of this cordon may have the Worker's code. In quarantine, and where one is profiled, an account may call
   * its other Workers.
   */
  mayRun(cordon: string, worker: WorkerKey): boolean {
    const { account } = worker;
    return cordon === this.of(worker) || cordon === quarantineOf(account) || cordon === profileOf(account);
  }

  /** Whether there is anything that runs in this cordon. */
  isUsed(cordon: string): boolean {
    if (cordon === DEFAULT_CORDON) return true;
    if ([...this.#profiled.keys()].some((account) => cordon === profileOf(account))) return true;
    const { accounts, workers } = this.table();
    return accounts.some((entry) => entry[1] === cordon) || workers.some((entry) => entry[2] === cordon);
  }

  /** What gateways are told. */
  table(): CordonTable {
    const quarantined = this.#listQuarantined();
    const counts = new Map<string, number>();
    for (const { account } of quarantined) counts.set(account, (counts.get(account) ?? 0) + 1);
    const accounts = new Map(this.#accounts);
    for (const [account, count] of counts) {
      if (count >= WORKERS_UNTIL_ACCOUNT) accounts.set(account as AccountId, quarantineOf(account));
    }
    const workers = quarantined.map(({ account, worker }) => [account, worker, quarantineOf(account)] as const);
    // The last that is said of a Worker counts.
    const profiled = [...this.#profiled].filter(([, { serves }]) => serves);
    const apart = profiled.map(([account, { worker }]) => [account, worker, profileOf(account)] as const);
    return { accounts: [...accounts], workers: [...workers, ...apart] };
  }
}

/** The cordon of what has to run apart from everybody else's. */
export function quarantineOf(account: string): string {
  return `q.${account}`;
}

function profileOf(account: string): string {
  return `f.${account}`;
}

/** Whether cells of this cordon are there for a profile. */
export function isForProfile(cordon: string): boolean {
  return cordon.startsWith('f.');
}
