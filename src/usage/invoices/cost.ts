/** What an account's month costs: from the ledger's sums, by its plan. */
import type { AccountId, WorkerName } from '../../ids.ts';
import type { Ledger } from '../../store/index.ts';
import { type Bill, compareWith, type Comparison, type PlanBook, toBill, toFormula } from '../plans/index.ts';
import { addTotals, createTotals, type UsageTotals } from '../totals.ts';
import type { Month } from './month.ts';

const MAX_WORKERS = 1_000_000; // a bill that left some out would be wrong: beyond this there is none

export interface WorkerUsage {
  readonly worker: WorkerName;
  readonly totals: UsageTotals;
}

export interface Cost {
  readonly planName: string;
  readonly bill: Bill;
  readonly formula: string;
  readonly totals: UsageTotals;
  /** By name; their sum is `totals`. */
  readonly workers: readonly WorkerUsage[];
  /** The same usage under the plans of the book that are for comparison. */
  readonly compare: readonly Comparison[];
}

/** Of all Workers together. */
export async function readMonthTotals(
  ledger: Pick<Ledger, 'sums'>,
  account: AccountId,
  month: Month,
): Promise<UsageTotals> {
  return addUp(await readSums(ledger, account, month));
}

export async function readCost(
  { ledger, plans }: { readonly ledger: Pick<Ledger, 'sums'>; readonly plans: PlanBook },
  { account, plan: assigned }: { readonly account: AccountId; readonly plan: string | undefined },
  month: Month,
): Promise<Cost> {
  const { name: planName, plan } = plans.of(account, assigned);
  const sums = await readSums(ledger, account, month);
  const totals = addUp(sums);
  const bill = toBill(plan, totals);
  return {
    planName,
    bill,
    formula: toFormula(bill, totals),
    totals,
    workers: sums.map(({ worker, totals }) => ({ worker, totals })),
    compare: compareWith(
      plans.compared.filter(({ name }) => name !== planName),
      totals,
    ),
  };
}

async function readSums(
  ledger: Pick<Ledger, 'sums'>,
  account: AccountId,
  { since, until }: Month,
): Promise<readonly WorkerUsage[]> {
  const sums = await ledger.sums({ account, since, until, by: 'month' }, MAX_WORKERS + 1);
  if (sums.length > MAX_WORKERS) throw new Error(`Cannot bill ${account}: more than ${MAX_WORKERS} Workers in a month`);
  return sums;
}

function addUp(sums: readonly WorkerUsage[]): UsageTotals {
  const totals = createTotals();
  for (const sum of sums) addTotals(totals, sum.totals);
  return totals;
}
