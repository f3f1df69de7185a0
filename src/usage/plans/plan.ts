/** Price plans as data: what each says, and what it must fit. */
import { z } from 'zod';
import { isCurrency, minorDigits } from './currency.ts';
import { Fraction } from './fraction.ts';

const MAX_INCLUDED = Number.MAX_SAFE_INTEGER;
const MAX_MEMORY_MIB = 1_048_576;

/** Money is text, for `0.1` has no exact number. */
const Price = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,18})?$/, 'must be a decimal number in quotes, such as "0.02"')
  .describe('In the currency of the plan');
const Count = z.int().min(0).max(MAX_INCLUDED);

const common = {
  /** What invoices call it. */
  title: z.string().trim().min(1).max(100),
  currency: z.string().refine(isCurrency, 'must be the three letters of an ISO 4217 currency, such as "USD"'),
  perMillionRequests: Price,
  /** What a month costs at least. */
  minimum: Price.default('0'),
};

/** Pays for the CPU time that code really used. */
const CpuPlan = z.strictObject({
  kind: z.literal('cpu'),
  ...common,
  perMillionCpuMs: Price,
  /** Whether the CPU time of cold starts is the account's to pay. */
  startCpu: z.enum(['free', 'billed']).default('free'),
  included: z
    .strictObject({
      requests: Count.default(0),
      cpuMs: Count.default(0),
      /** For each request of the month; what one leaves, another may use. */
      cpuMsPerRequest: Count.default(0),
    })
    .prefault({}),
});

/** Pays for the time from the start of an invocation to its end, at a memory size that somebody chose beforehand. */
const DurationPlan = z.strictObject({
  kind: z.literal('duration'),
  ...common,
  perGbSecond: Price,
  /** 1024 to the GB, as the platforms that have such plans count. */
  memoryMiB: z.int().min(1).max(MAX_MEMORY_MIB),
  roundUpMs: z.union([z.literal(1), z.literal(100)]),
  included: z.strictObject({ requests: Count.default(0), gbSeconds: Count.default(0) }).prefault({}),
});

export const PlanSchema = z.discriminatedUnion('kind', [CpuPlan, DurationPlan]).superRefine((plan, context) => {
  if (!isCurrency(plan.currency)) return;
  const minor = Fraction.parse(plan.minimum).times(new Fraction(10n ** BigInt(minorDigits(plan.currency))));
  if (minor.denominator === 1n) return;
  const message = `must be a whole number of the smallest unit of ${plan.currency}, got ${plan.minimum}`;
  context.addIssue({ code: 'custom', path: ['minimum'], message });
});

export type Plan = z.output<typeof PlanSchema>;
export type CpuPlan = Extract<Plan, { kind: 'cpu' }>;
export type DurationPlan = Extract<Plan, { kind: 'duration' }>;
