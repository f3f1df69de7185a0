/** Notify `stats`: what a cell tells the supervisor of itself once a second. Numbers are since the last one, unless told otherwise. */
import type { LatencySample } from '../latency-counts.ts';
import type { HostCallKind } from './host-call-times.ts';

/** How much one message holds, 250 kB at most. What does not fit comes with the next ones. */
export const STATS_LIMITS = { made: 1_000, used: 2_000, gone: 4_000, evictions: 20 } as const;

export interface StatsMessage {
  /** Now. Of the whole process, 0 where that cannot be known. */
  readonly memoryBytes: number;
  /** Now. */
  readonly spares: number;
  /** Now. */
  readonly instances: number;
  /** Now: invocations that have not ended. */
  readonly running: number;
  readonly evicted: number;
  readonly coldStarts: number;
  readonly loopDelay: LatencySample;
  readonly hostCalls: readonly (readonly [kind: HostCallKind, sample: LatencySample])[];
  /** New instances, by numbers that are the cell's own. */
  readonly made: readonly MadeInstance[];
  readonly used: readonly UsedInstance[];
  readonly gone: readonly number[];
  /** Of some of the evicted: whose they were. */
  readonly evictions: readonly (readonly [account: string, worker: string])[];
}

export type MadeInstance = readonly [id: number, account: string, worker: string, version: string, ageMs: number];
/** Memory is what it was when it was last measured. */
export type UsedInstance = readonly [id: number, memoryBytes: number, cpuUs: number, requests: number];
