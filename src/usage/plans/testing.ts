/** Totals for tests. */
import { createTotals, type UsageTotals } from '../totals.ts';

export function totalsOf(fields: Partial<UsageTotals>): UsageTotals {
  return { ...createTotals(), ...fields };
}

/** The totals of `requests` invocations that are alike. */
export function alike(requests: number, { cpuMs = 0, wallMs = 0 }: { cpuMs?: number; wallMs?: number }): UsageTotals {
  return totalsOf({
    requests,
    cpuUs: cpuMs * 1_000 * requests,
    wallUs: wallMs * 1_000 * requests,
    wallMs1: Math.ceil(wallMs) * requests,
    wallMs100: Math.ceil(wallMs / 100) * 100 * requests,
  });
}
