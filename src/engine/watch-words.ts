/** The memory that the entering threads, the watchdog and the warden share: see watchdog.ts. */

/** Layout of the shared memory, in 32-bit words. */
export const WORDS = {
  /** 1 while the watchdog sleeps without a time limit: whoever starts an entry must wake it. */
  asleep: 0,
  /** Wakes the watchdog's wait; its value is never changed. */
  tick: 1,
  /** Set to 1 to wake the warden. */
  wardenWake: 2,
  /** How many of the warden's queued guards shall return (see warden.ts). */
  wardenReturns: 3,
  /** Id of the newest exchange that the cell has begun to serve; see `Engine.noteBegun`. */
  begun: 4,
  /** First runner's words; each runner has `runnerStride`. */
  runners: 16,
  runnerStride: 16, // 64 bytes: a cache line each
} as const;

/** Offsets within a runner's words. */
export const RUNNER = {
  /** 0 idle; n > 0: entry number n is running; -n: entry n has been condemned. */
  sequence: 0,
  /**
   * Which isolate (the warden's slot) the entry runs in; `~slot` when the isolate must not be disposed of, so that an entry
   * that does not end has to end the process.
   */
  slot: 1,
  /** CPU time the entry may use, in µs. */
  budgetUs: 2,
  /** The warden's order: slot + 1 to dispose, 0 none. */
  kill: 3,
  /** The entry that `baseUs` and `seenAtUs` belong to. */
  seen: 4,
  /** Two words, a double: the runner's CPU clock when the watchdog first saw the entry, in µs. */
  baseUs: 8,
  /** Two words, a double: the wall time (`wallUs`) of that. */
  seenAtUs: 10,
} as const;

/** The thread that made the engine, for entries inline. */
export const INLINE = 0;
/** Whichever thread of isolated-vm's pool has the entry of the lane. */
export const LANE = 1;
export const RUNNERS = [INLINE, LANE] as const;
export type Runner = (typeof RUNNERS)[number];
