/** How much of its quota an account has used. The quota itself is among its settings. */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const Quota = z.object({
  daily_requests: z.int().nullable(),
  monthly_cpu_ms: z.int().nullable(),
  over_quota: z.enum(['open', 'closed']),
  requests_today: z.int(),
  cpu_us_this_month: z.int(),
  over: z.boolean(),
  refused: z.boolean(),
});

export const registerQuota: Resource = (app, { registry, quotas }) => {
  app.get(
    '/accounts/:account/isola/quota',
    {
      config: { scope: 'account:read' },
      schema: {
        summary: 'What an account may use, and what of it it has used',
        description: 'The use is that of accounts with a quota; null: there is no limit. Days and months are UTC.',
        tags: ['Usage'],
        params: AccountParams,
        response: { 200: Result(Quota) },
      },
    },
    async ({ params }) => {
      const settings = (await registry.account(params.account))?.settings ?? {};
      const state = quotas.state(params.account);
      return ok({
        daily_requests: settings.dailyRequests ?? null,
        monthly_cpu_ms: settings.monthlyCpuMs ?? null,
        over_quota: settings.overQuota ?? 'open',
        requests_today: state?.requests ?? 0,
        cpu_us_this_month: state?.cpuUs ?? 0,
        over: state?.isOver ?? false,
        refused: state?.isRefused ?? false,
      });
    },
  );
};
