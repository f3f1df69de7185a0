/** What is added up of invocations. Every number is an integer. */
import type { Outcome } from '../model.ts';

export interface UsageTotals {
  /** Invocations that are billed: requests of clients and scheduled events. */
  readonly requests: number;
  /** Of those, the ones that ended neither `ok` nor `canceled`. */
  readonly errors: number;
  /** CPU time of handlers, in µs. Callees of service bindings count for their own Worker. */
  readonly cpuUs: number;
  /** CPU time of starting instances, in µs. */
  readonly startCpuUs: number;
  /** From the beginning of an invocation to its end, in µs. */
  readonly wallUs: number;
  /** The same, in ms, each invocation rounded up to 1 ms: for comparison with plans that bill durations. */
  readonly wallMs1: number;
  /** And rounded up to 100 ms. */
  readonly wallMs100: number;
  /** Bytes of bodies and WebSocket messages from clients and to them, without heads. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly subrequests: number;
  /** Instances started while a request waited for them. */
  readonly coldStarts: number;
  /** Invocations through service bindings: not billed as requests. */
  readonly serviceCalls: number;
}

/** `service`: through a service binding. `start`: of an instance. */
export type UsageEvent = 'fetch' | 'scheduled' | 'service' | 'start';
export const USAGE_EVENTS = ['fetch', 'scheduled', 'service', 'start'] as const satisfies readonly UsageEvent[];

/** `running`: of an invocation that has not ended yet. It counts once, with its outcome, when it has. */
export type UsageOutcome = Outcome | 'running';
export const USAGE_OUTCOMES = [
  'ok',
  'exception',
  'exceededCpu',
  'exceededMemory',
  'exceededWallTime',
  'canceled',
  'internalError',
  'running',
] as const satisfies readonly UsageOutcome[];

/** The fields, in the order in which they go over the wire. */
export const USAGE_FIELDS = [
  'requests',
  'errors',
  'cpuUs',
  'startCpuUs',
  'wallUs',
  'wallMs1',
  'wallMs100',
  'bytesIn',
  'bytesOut',
  'subrequests',
  'coldStarts',
  'serviceCalls',
] as const satisfies readonly (keyof UsageTotals)[];

/** Upper bounds, inclusive; one more bucket holds what is beyond the last. CPU time of an invocation, in µs. */
export const CPU_BUCKETS_US = [
  100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 5_000_000, 60_000_000,
] as const;
/** The same for wall time, in ms. */
export const WALL_BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000] as const;

export function createTotals(): { -readonly [Field in keyof UsageTotals]: number } {
  return {
    requests: 0,
    errors: 0,
    cpuUs: 0,
    startCpuUs: 0,
    wallUs: 0,
    wallMs1: 0,
    wallMs100: 0,
    bytesIn: 0,
    bytesOut: 0,
    subrequests: 0,
    coldStarts: 0,
    serviceCalls: 0,
  };
}

export function addTotals(to: { -readonly [Field in keyof UsageTotals]: number }, more: UsageTotals): void {
  for (const field of USAGE_FIELDS) to[field] += more[field];
}

/** Which bucket of `bounds` a value falls into. */
export function bucketOf(bounds: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++;
  return bucket;
}
