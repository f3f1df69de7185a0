/** From totals and a plan to money. The only place where prices meet usage. */
import type { UsageTotals } from '../totals.ts';
import { toMinor } from './currency.ts';
import { Fraction } from './fraction.ts';
import type { CpuPlan, DurationPlan, Plan } from './plan.ts';

const US_PER_MS = 1_000n;
const MS_PER_S = 1_000n;
const MIB_PER_GB = 1_024n;
const MILLION = 1_000_000n;

export type BillItem = 'requests' | 'cpu_ms' | 'gb_seconds' | 'minimum';

export interface BillLine {
  readonly item: BillItem;
  readonly quantity: Fraction;
  /** Of the quantity, what costs nothing: never more than there is. */
  readonly included: Fraction;
  /** As the plan writes it, for one `per`. */
  readonly unitPrice: string;
  readonly per: bigint;
  /** In the currency's smallest unit. */
  readonly amount: bigint;
}

export interface Bill {
  readonly plan: Plan;
  readonly lines: readonly BillLine[];
  /** The sum of the lines. */
  readonly total: bigint;
}

/**
 * What `totals` cost under `plan`. Each line is computed exactly and rounded once, half to even; the total adds up what the
 * lines say, so that whoever adds them up finds it. Where that is below the plan's minimum, a last line makes up for it.
 */
export function toBill(plan: Plan, totals: UsageTotals): Bill {
  const lines = plan.kind === 'cpu' ? cpuLines(plan, totals) : durationLines(plan, totals);
  const used = lines.reduce((sum, { amount }) => sum + amount, 0n);
  const missing = toMinor(Fraction.parse(plan.minimum), plan.currency) - used;
  if (missing <= 0n) return { plan, lines, total: used };
  const one = new Fraction(1n);
  const upTo = { item: 'minimum', quantity: one, included: Fraction.ZERO, unitPrice: plan.minimum, per: 1n } as const;
  return { plan, lines: [...lines, { ...upTo, amount: missing }], total: used + missing };
}

function cpuLines(plan: CpuPlan, { requests, cpuUs, startCpuUs }: UsageTotals): BillLine[] {
  const { included } = plan;
  const billedUs = BigInt(cpuUs) + (plan.startCpu === 'billed' ? BigInt(startCpuUs) : 0n);
  const freeMs = BigInt(included.cpuMs) + BigInt(included.cpuMsPerRequest) * BigInt(requests);
  return [
    toLine(plan, {
      item: 'requests',
      quantity: Fraction.of(requests),
      free: Fraction.of(included.requests),
      unitPrice: plan.perMillionRequests,
      per: MILLION,
    }),
    toLine(plan, {
      item: 'cpu_ms',
      quantity: new Fraction(billedUs, US_PER_MS),
      free: new Fraction(freeMs),
      unitPrice: plan.perMillionCpuMs,
      per: MILLION,
    }),
  ];
}

function durationLines(plan: DurationPlan, { requests, wallMs1, wallMs100 }: UsageTotals): BillLine[] {
  const wallMs = BigInt(plan.roundUpMs === 1 ? wallMs1 : wallMs100);
  return [
    toLine(plan, {
      item: 'requests',
      quantity: Fraction.of(requests),
      free: Fraction.of(plan.included.requests),
      unitPrice: plan.perMillionRequests,
      per: MILLION,
    }),
    toLine(plan, {
      item: 'gb_seconds',
      quantity: new Fraction(wallMs * BigInt(plan.memoryMiB), MS_PER_S * MIB_PER_GB),
      free: Fraction.of(plan.included.gbSeconds),
      unitPrice: plan.perGbSecond,
      per: 1n,
    }),
  ];
}

function toLine(
  { currency }: Plan,
  { free, ...line }: Omit<BillLine, 'included' | 'amount'> & { free: Fraction },
): BillLine {
  const included = free.compare(line.quantity) < 0 ? free : line.quantity;
  const charged = line.quantity.minus(included);
  const exact = charged.times(Fraction.parse(line.unitPrice)).dividedBy(line.per);
  return { ...line, included, amount: toMinor(exact, currency) };
}
