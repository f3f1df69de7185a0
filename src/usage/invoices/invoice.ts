/** An invoice: the bill of a month with a number, a date and the parties. The JSON document is this, as it is. */
import { z } from 'zod';

const Line = z.object({
  item: z.string(),
  unit: z.string(),
  quantity: z.string(),
  included: z.string(),
  unit_price: z.string(),
  per: z.number(),
  amount: z.string(),
  amount_minor: z.int(),
});

/** What the control API's answer about the cost of a month has for an invoice. */
export const InvoiceCost = z.object({
  account_id: z.string(),
  month: z.string(),
  since: z.string(),
  until: z.string(),
  final: z.boolean(),
  plan: z.string(),
  plan_title: z.string(),
  currency: z.string(),
  lines: z.array(Line),
  total: z.string(),
  total_minor: z.int(),
  workers: z.array(
    z.object({ worker: z.string(), requests: z.int(), cpu_us: z.int(), start_cpu_us: z.int(), wall_us: z.number() }),
  ),
});
export type InvoiceCost = z.output<typeof InvoiceCost>;

export interface Invoice extends InvoiceCost {
  readonly number: string;
  /** ISO 8601. */
  readonly issued_at: string;
  readonly issuer: string;
  readonly customer: string;
}

/** One number for each account and month, however often it is made. */
export function toInvoice(
  cost: InvoiceCost,
  { issuer, customer, issuedAt }: { issuer: string; customer: string; issuedAt: Date },
): Invoice {
  const added = cost.lines.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
  // An invoice that does not add up must not leave the house, whoever computed it.
  if (added !== cost.total_minor) throw new Error(`The lines of ${cost.month} are ${added}, not ${cost.total_minor}`);
  return {
    number: `${cost.account_id}-${cost.month}`,
    issued_at: issuedAt.toISOString(),
    issuer,
    customer,
    ...cost,
  };
}
