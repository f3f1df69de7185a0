/** `isola usage --compare`: what a month costs, and would have cost under the plans for comparison. */
import { z } from 'zod';
import { toAsciiJson } from '../ascii-json.ts';
import { callControl, type ControlTarget, printRows } from './control-client.ts';
import { printLine } from './terminal.ts';

const PlanCost = z.looseObject({ plan: z.string(), total: z.string(), currency: z.string(), formula: z.string() });
const CostSchema = PlanCost.extend({ month: z.string(), final: z.boolean(), compare: z.array(PlanCost) });

export async function printComparison(
  target: ControlTarget,
  { account, month, json }: { account: string; month: string | undefined; json: boolean },
): Promise<void> {
  const found = await callControl(target, {
    attempt: `Cannot read the cost of ${account}`,
    method: 'GET',
    path: `accounts/${encodeURIComponent(account)}/isola/cost${month === undefined ? '' : `?month=${month}`}`,
  });
  if (json) {
    printLine(toAsciiJson(found));
    return;
  }
  const cost = CostSchema.parse(found);
  printLine(`${cost.month}${cost.final ? '' : ', until now'}`);
  printRows([{ ...cost, plan: `${cost.plan} (the plan of ${account})` }, ...cost.compare], {
    json: false,
    columns: {
      PLAN: ({ plan }) => plan,
      COST: ({ total, currency }) => `${total} ${currency}`,
      FORMULA: ({ formula }) => formula,
    },
  });
}
