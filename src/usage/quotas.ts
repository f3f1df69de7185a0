import type { AccountId } from '../ids.ts';
import type { AccountSettings, Ledger } from '../store/index.ts';
import type { CheckedRow } from './intake.ts';

/** What an account may use, and what happens beyond it. */
export type Quota = Pick<AccountSettings, 'dailyRequests' | 'monthlyCpuMs' | 'overQuota' | 'quotaWebhook'>;

export type QuotaLimit = 'daily_requests' | 'monthly_cpu_ms';

/** An account has used so much of a limit. */
export interface QuotaNotice {
  readonly account: AccountId;
  readonly limit: QuotaLimit;
  /** The day or the month: `2026-11-30` or `2026-11`. */
  readonly period: string;
  readonly percent: number;
  readonly used: number;
  readonly allowed: number;
  /** What is over now is refused. */
  readonly isRefused: boolean;
  readonly webhook: string | undefined;
}

export interface QuotaState {
  /** Of today, and of this month, in UTC. */
  readonly requests: number;
  readonly cpuUs: number;
  readonly isOver: boolean;
  /** It is over, and fails closed. */
  readonly isRefused: boolean;
}

export interface QuotasDeps {
  readonly ledger: Pick<Ledger, 'sums'>;
  /** Its requests are refused from here on, or not any more. */
  readonly refuse: (account: AccountId, isRefused: boolean) => Promise<void>;
  readonly notify: (notice: QuotaNotice) => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

const WARN_PERCENT = [100, 80] as const;
const LOOK_EVERY_MS = 500; // whether a day or a month has ended
const DAY_MS = 86_400_000;
const MAX_WORKERS = 100_000; // of one account: all there are

/**
 * Holds what accounts use against what they may. Only accounts with a quota cost anything here. Told of each batch that
 * the ledger has taken, so that it knows within half a second of the use.
 */
export class Quotas implements Disposable {
  readonly #deps: QuotasDeps;
  readonly #accounts = new Map<AccountId, Account>();
  readonly #timer: NodeJS.Timeout;
  #day: number;

  constructor(deps: QuotasDeps) {
    this.#deps = deps;
    this.#day = this.#today();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** The account's settings: at the start, and when they have changed. Resolves when requests are judged by them. */
  async set(account: AccountId, quota: Quota): Promise<void> {
    const before = this.#accounts.get(account);
    if (quota.dailyRequests === undefined && quota.monthlyCpuMs === undefined) {
      this.#accounts.delete(account);
      if (before?.isRefused === true) await this.#deps.refuse(account, false);
      return;
    }
    const entry = new Account(quota, { ...(await this.#read(account)), before });
    this.#accounts.set(account, entry);
    await this.#judge(account, entry);
  }

  /** What the account has used of its quota; undefined when it has none. */
  state(account: AccountId): QuotaState | undefined {
    const entry = this.#accounts.get(account);
    if (entry === undefined) return undefined;
    const { requests, cpuUs, isRefused } = entry;
    return { requests, cpuUs, isRefused, isOver: entry.percents().some(({ percent }) => percent >= 100) };
  }

  /** Whether what is asked of the account is to be refused. */
  isRefused(account: AccountId): boolean {
    return this.#accounts.get(account)?.isRefused === true;
  }

  async deleteAccount(account: AccountId): Promise<void> {
    await this.set(account, {});
  }

  /** The ledger has taken these. */
  add(rows: readonly CheckedRow[]): void {
    for (const { account, totals } of rows) {
      const entry = this.#accounts.get(account);
      if (entry === undefined) continue;
      entry.requests += totals.requests;
      entry.cpuUs += totals.cpuUs + totals.startCpuUs;
      this.#judge(account, entry).catch(this.#deps.onError);
    }
  }

  #look(): void {
    const day = this.#today();
    if (day === this.#day) return;
    const isNewMonth = toPeriod(day, 'month') !== toPeriod(this.#day, 'month');
    this.#day = day;
    for (const [account, entry] of this.#accounts) {
      entry.requests = 0;
      if (isNewMonth) entry.cpuUs = 0;
      entry.forget(isNewMonth);
      this.#judge(account, entry).catch(this.#deps.onError);
    }
  }

  async #judge(account: AccountId, entry: Account): Promise<void> {
    const percents = entry.percents();
    const isRefused = entry.quota.overQuota === 'closed' && percents.some(({ percent }) => percent >= 100);
    for (const { limit, percent, used, allowed } of percents) {
      const reached = WARN_PERCENT.find((step) => percent >= step);
      if (reached === undefined || (entry.told.get(limit) ?? 0) >= reached) continue;
      entry.told.set(limit, reached);
      const period = toPeriod(this.#day, limit === 'daily_requests' ? 'day' : 'month');
      const webhook = entry.quota.quotaWebhook;
      this.#deps.notify({ account, limit, period, percent: reached, used, allowed, isRefused, webhook });
    }
    if (isRefused === entry.isRefused) return;
    entry.isRefused = isRefused;
    await this.#deps.refuse(account, isRefused);
  }

  async #read(account: AccountId): Promise<{ requests: number; cpuUs: number }> {
    const until = (this.#day + 1) * DAY_MS;
    const month = Date.parse(`${toPeriod(this.#day, 'month')}-01T00:00:00Z`);
    const { ledger } = this.#deps;
    const [days, months] = await Promise.all([
      ledger.sums({ account, since: this.#day * DAY_MS, until, by: 'day' }, MAX_WORKERS),
      ledger.sums({ account, since: month, until, by: 'month' }, MAX_WORKERS),
    ]);
    return {
      requests: days.reduce((sum, { totals }) => sum + totals.requests, 0),
      cpuUs: months.reduce((sum, { totals }) => sum + totals.cpuUs + totals.startCpuUs, 0),
    };
  }

  #today(): number {
    return Math.floor(this.#deps.now() / DAY_MS);
  }
}

class Account {
  readonly quota: Quota;
  requests: number;
  cpuUs: number;
  isRefused: boolean;
  /** The highest warning of each limit in its period. */
  readonly told: Map<QuotaLimit, number>;

  constructor(quota: Quota, from: { requests: number; cpuUs: number; before: Account | undefined }) {
    this.quota = quota;
    this.requests = from.requests;
    this.cpuUs = from.cpuUs;
    this.isRefused = from.before?.isRefused ?? false;
    this.told = new Map(from.before?.told);
    // With another limit it is another matter.
    if (from.before?.quota.dailyRequests !== quota.dailyRequests) this.told.delete('daily_requests');
    if (from.before?.quota.monthlyCpuMs !== quota.monthlyCpuMs) this.told.delete('monthly_cpu_ms');
  }

  percents(): { limit: QuotaLimit; percent: number; used: number; allowed: number }[] {
    const { dailyRequests, monthlyCpuMs } = this.quota;
    const cpuMs = Math.floor(this.cpuUs / 1e3);
    return [
      ...(dailyRequests === undefined ? [] : [toPercent('daily_requests', this.requests, dailyRequests)]),
      ...(monthlyCpuMs === undefined ? [] : [toPercent('monthly_cpu_ms', cpuMs, monthlyCpuMs)]),
    ];
  }

  /** A day has ended, and perhaps a month. */
  forget(isNewMonth: boolean): void {
    this.told.delete('daily_requests');
    if (isNewMonth) this.told.delete('monthly_cpu_ms');
  }
}

function toPercent(limit: QuotaLimit, used: number, allowed: number) {
  return { limit, used, allowed, percent: allowed === 0 ? 100 : (100 * used) / allowed };
}

function toPeriod(day: number, which: 'day' | 'month'): string {
  return new Date(day * DAY_MS).toISOString().slice(0, which === 'day' ? 10 : 7);
}
