/** What the control API answers about the cost of a month: written by the supervisor, read by `isola invoice`. */
import { z } from 'zod';

const decimal = z.string().describe('A decimal number, exact');
const minor = z.int().describe('In the smallest unit of the currency');
const count = z.number().int().min(0);
export const CostAnswer = z.object({
  account_id: z.string(),
  month: z.string(),
  since: z.string(),
  until: z.string(),
  final: z.boolean().describe('Whether the month is over'),
  plan: z.string(),
  plan_title: z.string(),
  currency: z.string(),
  lines: z.array(
    z.object({
      item: z.enum(['requests', 'cpu_ms', 'gb_seconds', 'minimum']),
      unit: z.string(),
      quantity: decimal,
      included: decimal,
      unit_price: decimal,
      per: count.describe('How many units the unit price is for'),
      amount: decimal,
      amount_minor: minor,
    }),
  ),
  total: decimal,
  total_minor: minor,
  formula: z.string(),
  workers: z.array(
    z.object({ worker: z.string(), requests: count, cpu_us: count, start_cpu_us: count, wall_us: z.number().min(0) }),
  ),
  compare: z.array(
    z.object({
      plan: z.string(),
      plan_title: z.string(),
      currency: z.string(),
      total: decimal,
      total_minor: minor,
      formula: z.string(),
    }),
  ),
});
