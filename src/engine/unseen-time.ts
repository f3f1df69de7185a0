const TELLING_US = 100; // clocks of two threads are read up to some µs apart: what is shorter tells no share

export interface SeenEntry {
  /** Wall time of the entry. */
  readonly passedUs: number;
  /** CPU time that it cannot have exceeded. */
  readonly mostUs: number;
  /** Wall time from when the watchdog saw it first until its end, and CPU time in it; either may be off by some µs. */
  readonly seenUs: number;
  readonly seenCpuUs: number;
}

/**
 * CPU time of an entry that began before anybody read its thread's clock, in µs: between 0 and `mostUs`. It will have
 * had the same share of the CPU before it was seen as after.
 */
export function estimateCpuUs({ passedUs, mostUs, seenUs, seenCpuUs }: SeenEntry): number {
  if (seenUs < TELLING_US) return mostUs;
  const share = Math.min(Math.max(seenCpuUs / seenUs, 0), 1);
  const unseenUs = Math.max(passedUs - seenUs, 0);
  return Math.min(mostUs, Math.max(seenCpuUs, 0) + unseenUs * share);
}
