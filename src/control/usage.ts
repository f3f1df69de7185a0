/** What an account has used, to read. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { HOURS_KEPT_DAYS, MINUTES_KEPT_DAYS, type UsageStep, type UsageSum } from '../store/index.ts';
import { addTotals, createTotals, type UsageTotals } from '../usage/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, parseWorkerName } from './names.ts';

const MAX_ROWS = 10_000; // some 3 MB
const MINUTE_MS = 60_000;
const STEP_MS = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: 1440 * MINUTE_MS, month: 1440 * MINUTE_MS } as const;

const tags = ['Usage'];
const UsageQuerySchema = z.object({
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  by: z.enum(['minute', 'hour', 'day', 'month']).default('day'),
  worker: z.string().max(200).optional(),
  merged: z.enum(['true', 'false']).default('false'),
});
const count = z.number().int().min(0);
const Totals = z.object({
  requests: count,
  errors: count,
  cpu_us: count,
  start_cpu_us: count,
  wall_us: z.number().min(0),
  wall_ms_1: z.number().min(0),
  wall_ms_100: z.number().min(0),
  bytes_in: count,
  bytes_out: count,
  subrequests: count,
  cold_starts: count,
  service_calls: count,
  outcomes: z.record(z.string(), count),
});
const UsageBody = z.object({
  account_id: z.string(),
  by: z.string(),
  since: z.string(),
  until: z.string(),
  rows: z.array(z.object({ time: z.string(), worker: z.string(), ...Totals.shape })),
  totals: Totals,
});

export const registerUsage: Resource = (app, { ledger, now }) => {
  app.get(
    '/accounts/:account/isola/usage',
    {
      config: { scope: 'account:read' },
      schema: {
        summary: 'What the account has used, by Worker and time',
        description: `Steps that begin in [since, until), in UTC; without them, the step under way and those before it: 60 minutes, 24 hours, this month by day or this year by month. Minutes are kept for ${MINUTES_KEPT_DAYS} days, hours for ${HOURS_KEPT_DAYS}. With merged=true all Workers are one, without a name. A second behind at most.`,
        tags,
        params: AccountParams,
        querystring: UsageQuerySchema,
        response: { 200: Result(UsageBody) },
      },
    },
    async ({ params, query: { by, worker, merged, ...given } }) => {
      const until = given.until === undefined ? now() + 1 : Date.parse(given.until);
      const since = given.since === undefined ? defaultSince(by, until) : Date.parse(given.since);
      if (since > until) throw new PlatformError('badRequest', 'Cannot read usage: since is behind until');
      const which = { account: params.account, since, until, by, merged: merged === 'true' };
      const sums = await ledger.sums(
        worker === undefined ? which : { ...which, worker: parseWorkerName(worker) },
        MAX_ROWS + 1,
      );
      if (sums.length > MAX_ROWS) {
        throw new PlatformError(
          'badRequest',
          `Cannot read usage: there are more than ${MAX_ROWS} rows; ask for longer steps, a shorter time, one Worker or all of them merged`,
        );
      }
      return ok({
        account_id: params.account,
        by,
        since: new Date(since).toISOString(),
        until: new Date(until).toISOString(),
        rows: sums.map((sum) => ({ time: new Date(sum.time).toISOString(), worker: sum.worker, ...toTotals(sum) })),
        totals: toTotals(addUp(sums)),
      });
    },
  );
};

function defaultSince(by: UsageStep, until: number): number {
  const date = new Date(until - 1);
  if (by === 'day') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  if (by === 'month') return Date.UTC(date.getUTCFullYear(), 0);
  return Math.floor((until - 1) / STEP_MS[by]) * STEP_MS[by] - (by === 'minute' ? 59 : 23) * STEP_MS[by];
}

function addUp(sums: readonly UsageSum[]): Pick<UsageSum, 'outcomes' | 'totals'> {
  const totals = createTotals();
  const outcomes: Record<string, number> = {};
  for (const sum of sums) {
    addTotals(totals, sum.totals);
    for (const [outcome, n] of Object.entries(sum.outcomes)) outcomes[outcome] = (outcomes[outcome] ?? 0) + n;
  }
  return { totals, outcomes };
}

function toTotals({ totals, outcomes }: { totals: UsageTotals; outcomes: UsageSum['outcomes'] }) {
  return {
    requests: totals.requests,
    errors: totals.errors,
    cpu_us: totals.cpuUs,
    start_cpu_us: totals.startCpuUs,
    wall_us: totals.wallUs,
    wall_ms_1: totals.wallMs1,
    wall_ms_100: totals.wallMs100,
    bytes_in: totals.bytesIn,
    bytes_out: totals.bytesOut,
    subrequests: totals.subrequests,
    cold_starts: totals.coldStarts,
    service_calls: totals.serviceCalls,
    outcomes,
  };
}
