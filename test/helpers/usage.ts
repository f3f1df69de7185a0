/** What the ledger of a test platform says. */
import { setTimeout } from 'node:timers/promises';
import type { TestPlatform } from './platform.ts';

export interface UsageFigures {
  readonly requests: number;
  readonly errors: number;
  readonly cpu_us: number;
  readonly start_cpu_us: number;
  readonly wall_us: number;
  readonly wall_ms_100: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly subrequests: number;
  readonly cold_starts: number;
  readonly service_calls: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

const POLL_MS = 100;
const PATIENCE_MS = 30_000;

export async function readUsage(platform: TestPlatform, worker: string): Promise<UsageFigures> {
  const response = await platform.control(
    `/accounts/${platform.account}/isola/usage?worker=${worker}&since=2020-01-01T00:00:00Z`,
  );
  const { result } = (await response.json()) as { result: { totals: UsageFigures } };
  return result.totals;
}

/** Reads until it fits, or patience ends: a batch comes every 0.4 s. Resolves to what it said last. */
export async function awaitUsage(
  platform: TestPlatform,
  worker: string,
  fits: (usage: UsageFigures) => boolean,
): Promise<UsageFigures> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    const usage = await readUsage(platform, worker);
    if (fits(usage) || performance.now() > until) return usage;
    // oxlint-disable-next-line no-await-in-loop
    await setTimeout(POLL_MS);
  }
}
