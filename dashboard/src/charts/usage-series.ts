/** Rows of usage turned into one value for each step of time: steps in which nothing happened have no row. */
import type { Usage, UsageRow, UsageStep } from '../api/watching.ts';

const STEP_MS: Readonly<Record<Exclude<UsageStep, 'month'>, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const MAX_STEPS = 2_000;

export interface UsagePoint {
  /** ms since 1970, of the step's start. */
  readonly time: number;
  readonly requests: number;
  readonly errors: number;
  readonly cpuUs: number;
  readonly coldStarts: number;
}

export function toSeries({ by, since, until, rows }: Usage, worker: string): readonly UsagePoint[] {
  const points = new Map<number, UsagePoint>();
  const end = Date.parse(until);
  for (let time = startOf(by, Date.parse(since)); time < end && points.size < MAX_STEPS; time = nextOf(by, time)) {
    points.set(time, { time, requests: 0, errors: 0, cpuUs: 0, coldStarts: 0 });
  }
  for (const row of rows) {
    if (worker !== '' && row.worker !== worker) continue;
    const time = startOf(by, Date.parse(row.time));
    points.set(time, add(points.get(time) ?? { time, requests: 0, errors: 0, cpuUs: 0, coldStarts: 0 }, row));
  }
  return [...points.values()].toSorted((a, b) => a.time - b.time);
}

function add(point: UsagePoint, row: UsageRow): UsagePoint {
  return {
    time: point.time,
    requests: point.requests + row.requests,
    errors: point.errors + row.errors,
    cpuUs: point.cpuUs + row.cpu_us + row.start_cpu_us,
    coldStarts: point.coldStarts + row.cold_starts,
  };
}

function startOf(by: UsageStep, time: number): number {
  const date = new Date(time);
  if (by === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  return Math.floor(time / STEP_MS[by]) * STEP_MS[by];
}

function nextOf(by: UsageStep, time: number): number {
  const date = new Date(time);
  if (by === 'month') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  return time + STEP_MS[by];
}
