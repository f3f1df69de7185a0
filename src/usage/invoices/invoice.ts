/** An invoice: the bill of a month with a number, a date and the parties. The JSON document is this, as it is. */
import type { z } from 'zod';
import { CostAnswer } from './cost-answer.ts';

/** What an answer about the cost of a month has for an invoice. */
export const InvoiceCost = CostAnswer.omit({ formula: true, compare: true });
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
