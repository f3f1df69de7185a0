/** A batch of usage on its way from a cell: what it says, and how it is written down. */
import type { VersionId } from '../ids.ts';
import {
  CPU_BUCKETS_US,
  createTotals,
  USAGE_EVENTS,
  USAGE_FIELDS,
  USAGE_OUTCOMES,
  type UsageEvent,
  type UsageOutcome,
  type UsageTotals,
  WALL_BUCKETS_MS,
} from './totals.ts';

/** What one version used in the time of a batch, by event and outcome. */
export interface UsageRow {
  readonly version: VersionId;
  readonly event: UsageEvent;
  readonly outcome: UsageOutcome;
  readonly totals: UsageTotals;
  /** How many invocations ended in each bucket of CPU_BUCKETS_US, and in each of WALL_BUCKETS_MS. */
  readonly cpuBuckets: readonly number[];
  readonly wallBuckets: readonly number[];
}

/** Params of the call `usage`, which is answered when the ledger has it. */
export interface UsageMessage {
  /** Rises by one with each batch of a cell, from 1. */
  readonly number: number;
  /** Since 1970: when the batch began. */
  readonly minute: number;
  readonly rows: readonly WireRow[];
}

/** Version, event and outcome by their index, then totals and buckets, each in its order. */
export type WireRow = readonly [version: string, event: number, outcome: number, ...numbers: number[]];

export const MAX_BATCH_ROWS = 5_000; // 1 MB of JSON; more go into further batches
const KEYS = 3;
const CPU_AT = KEYS + USAGE_FIELDS.length;
const WALL_AT = CPU_AT + CPU_BUCKETS_US.length + 1;
const LENGTH = WALL_AT + WALL_BUCKETS_MS.length + 1;

export function toWireRow({ version, event, outcome, totals, cpuBuckets, wallBuckets }: UsageRow): WireRow {
  const numbers = USAGE_FIELDS.map((field) => totals[field]);
  return [
    version,
    USAGE_EVENTS.indexOf(event),
    USAGE_OUTCOMES.indexOf(outcome),
    ...numbers,
    ...cpuBuckets,
    ...wallBuckets,
  ];
}

/** Undefined unless it is one: a cell may send anything. */
export function parseWireRow(value: unknown): UsageRow | undefined {
  if (!Array.isArray(value) || value.length !== LENGTH || typeof value[0] !== 'string') return undefined;
  const event = USAGE_EVENTS[value[1] as number];
  const outcome = USAGE_OUTCOMES[value[2] as number];
  const numbers = value.slice(KEYS) as unknown[];
  if (event === undefined || outcome === undefined || !numbers.every(isCount)) return undefined;
  const totals = createTotals();
  for (const [index, field] of USAGE_FIELDS.entries()) totals[field] = numbers[index]!;
  return {
    version: value[0] as VersionId,
    event,
    outcome,
    totals,
    cpuBuckets: value.slice(CPU_AT, WALL_AT) as number[],
    wallBuckets: value.slice(WALL_AT) as number[],
  };
}

/** Nothing that is not one: `-0`, fractions and what is too large to be exact are refused. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
