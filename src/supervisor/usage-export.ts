/** Tells Stripe what accounts have used, when the operator asks for it. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { AccountId } from '../ids.ts';
import type { Exports, Ledger, Registry } from '../store/index.ts';
import { StripeExporter, UsageExport } from '../usage/export/index.ts';
import type { PlanBook } from '../usage/plans/index.ts';

/** `sk_…` or, better, a restricted key `rk_…` that may write meter events and nothing else. */
const KEY = /^[rs]k_\w{4,300}$/;

export interface StripeSettings {
  /** `file:PATH` or `env:NAME`. */
  readonly keySource: string;
  readonly url: string;
  readonly intervalMs: number;
}

/** Reads the key; an environment variable is taken away, so that no child process gets it. Errors do not show it. */
export function readStripeKey(source: string): string {
  const [, kind, value = ''] = /^(file|env):(.+)$/s.exec(source) ?? [];
  const text = kind === 'env' ? takeVariable(value) : readKeyFile(value);
  const key = text.trim();
  if (!KEY.test(key)) throw new Error(`Cannot use --stripe-key ${source}: there is no key that begins with sk_ or rk_`);
  return key;
}

export function createUsageExport(
  { key, url, intervalMs }: { readonly key: string; readonly url: string; readonly intervalMs: number },
  deps: {
    readonly ledger: Pick<Ledger, 'sums'>;
    readonly exports: Exports;
    readonly plans: PlanBook;
    readonly registry: Pick<Registry, 'account'>;
    readonly onWarning: (message: string) => void;
  },
): UsageExport {
  const { plans, registry, ...rest } = deps;
  const accounts = [...plans.customers].map(([account, customer]) => {
    const id = account as AccountId;
    const billsStarts = async (): Promise<boolean> => {
      const { plan } = plans.of(id, (await registry.account(id))?.settings.plan);
      return plan.kind === 'cpu' && plan.startCpu === 'billed';
    };
    return { account: id, customer, billsStarts };
  });
  if (accounts.length === 0) {
    deps.onWarning('Nothing goes to Stripe: no account of the file of --plans has a stripeCustomer');
  }
  return new UsageExport({
    ...rest,
    accounts,
    exporter: new StripeExporter({ key, url }),
    intervalMs,
    now: Date.now,
    random: Math.random,
    randomUUID,
    sleep: (ms, signal) => setTimeout(ms, undefined, { signal, ref: false }).catch(() => undefined),
  });
}

function takeVariable(name: string): string {
  const text = process.env[name];
  delete process.env[name];
  if (text === undefined) throw new Error(`Cannot use --stripe-key env:${name}: there is no such environment variable`);
  return text;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`Cannot use --stripe-key file:${path}: it cannot be read (${code})`, { cause: error });
  }
}
