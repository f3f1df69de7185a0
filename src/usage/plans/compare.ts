/** What it would have cost: the same usage under other plans, with the computation written out. */
import type { UsageTotals } from '../totals.ts';
import { type Bill, type BillLine, toBill } from './bill.ts';
import { toAmountText } from './currency.ts';
import type { Plan } from './plan.ts';
import type { NamedPlan } from './plan-book.ts';

const MILLION = 1_000_000n;

export interface Comparison {
  readonly name: string;
  readonly bill: Bill;
  readonly formula: string;
}

export function compareWith(plans: readonly NamedPlan[], totals: UsageTotals): Comparison[] {
  return plans.map(({ name, plan }) => {
    const bill = toBill(plan, totals);
    return { name, bill, formula: toFormula(bill, totals) };
  });
}

/** The computation of a bill in one line: `1000000 requests × 0.20 / 1000000 + … = 0.20 + 1.64 = 1.84 USD`. */
export function toFormula({ plan, lines, total }: Bill, totals: UsageTotals): string {
  const used = lines.filter(({ item }) => item !== 'minimum');
  const sum = used.map((line) => toTerm(line, plan, totals)).join(' + ');
  const amounts = lines.map(({ item, amount }) => {
    const text = toAmountText(amount, plan.currency);
    return item === 'minimum' ? `${text} up to the minimum` : text;
  });
  return `${sum} = ${amounts.join(' + ')} = ${toAmountText(total, plan.currency)} ${plan.currency}`;
}

function toTerm({ item, quantity, included, unitPrice, per }: BillLine, plan: Plan, totals: UsageTotals): string {
  const price = per === MILLION ? `${unitPrice} / 1000000` : unitPrice;
  const charged =
    included.numerator === 0n
      ? toQuantity(item, quantity.toDecimal(), plan, totals)
      : `(${toQuantity(item, quantity.toDecimal(), plan, totals)} − ${included.toDecimal()} included)`;
  return `${charged} × ${price}`;
}

function toQuantity(item: BillLine['item'], quantity: string, plan: Plan, { wallMs1, wallMs100 }: UsageTotals): string {
  if (item === 'requests') return `${quantity} requests`;
  if (item === 'cpu_ms' || plan.kind !== 'duration') return `${quantity} ms of CPU`;
  const ms = plan.roundUpMs === 1 ? wallMs1 : wallMs100;
  return `${quantity} GB-s (${ms} ms, each request rounded up to ${plan.roundUpMs} ms, × ${plan.memoryMiB} / 1024 GB)`;
}
