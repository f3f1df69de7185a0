/** What a month costs an account, and would have cost it under other plans. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { type Cost, CostAnswer, parseMonth, readCost } from '../usage/invoices/index.ts';
import { type Bill, toAmountText } from '../usage/plans/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const UNITS = { requests: 'requests', cpu_ms: 'CPU-ms', gb_seconds: 'GB-s', minimum: '' } as const;

export const registerCost: Resource = (app, { registry, ledger, plans, now }) => {
  app.get(
    '/accounts/:account/isola/cost',
    {
      config: { scope: 'account:read' },
      schema: {
        summary: 'What a month costs the account',
        description:
          'By its plan, with each line rounded once and a total that is their sum; and what the same usage would have cost under the plans for comparison. Without a month, the one under way.',
        tags: ['Usage'],
        params: AccountParams,
        querystring: z.object({ month: z.string().max(100).optional() }),
        response: { 200: Result(CostAnswer) },
      },
    },
    async ({ params, query }) => {
      const name = query.month ?? new Date(now()).toISOString().slice(0, 7);
      const month = parseMonth(name);
      if (month === undefined) {
        throw new PlatformError('badRequest', `Cannot tell the cost of '${name}': must be a month such as 2026-11`);
      }
      const { account } = params;
      const plan = (await registry.account(account))?.settings.plan;
      const cost = await readCost({ ledger, plans }, { account, plan }, month).catch((error: unknown) => {
        // The operator's to mend: a plan that was assigned has gone from the file.
        if (!(error instanceof RangeError)) throw error;
        throw new PlatformError('badRequest', `Cannot tell the cost of '${account}': ${error.message}`, {
          cause: error,
        });
      });
      return ok({
        account_id: params.account,
        month: name,
        since: new Date(month.since).toISOString(),
        until: new Date(month.until).toISOString(),
        final: month.until <= now(),
        ...toBody(cost),
      });
    },
  );
};

function toBody({ planName, bill, formula, workers, compare }: Cost) {
  return {
    ...toTotal(planName, bill),
    formula,
    lines: bill.lines.map(({ item, quantity, included, unitPrice, per, amount }) => ({
      item,
      unit: UNITS[item],
      quantity: quantity.toDecimal(),
      included: included.toDecimal(),
      unit_price: unitPrice,
      per: Number(per),
      amount: toAmountText(amount, bill.plan.currency),
      amount_minor: Number(amount),
    })),
    workers: workers.map(({ worker, totals: { requests, cpuUs, startCpuUs, wallUs } }) => ({
      worker,
      requests,
      cpu_us: cpuUs,
      start_cpu_us: startCpuUs,
      wall_us: wallUs,
    })),
    compare: compare.map(({ name, bill: other, formula: text }) => ({ ...toTotal(name, other), formula: text })),
  };
}

function toTotal(name: string, { plan, total }: Bill) {
  return {
    plan: name,
    plan_title: plan.title,
    currency: plan.currency,
    total: toAmountText(total, plan.currency),
    total_minor: Number(total),
  };
}
