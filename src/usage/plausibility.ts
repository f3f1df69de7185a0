import { MAX_CPU_MS } from '../limits.ts';
import type { UsageRow } from './batch.ts';

const THREADS = 8; // the cell's own, the lane, and libuv's four; the rest is for rounding
const SLACK_US = 2_000_000; // clocks are read at different times
const MAX_SAVED_US = 2 * MAX_CPU_MS * 1e3; // of an entry, told when it has ended, and of what waited meanwhile
const MAX_REQUESTS_PER_MS = 1_000; // ten times what a core has been seen to serve
const MAX_BYTES_PER_REQUEST = 1e12;

/** Whether a cell can have used what it says, in the time that it has had. */
export class Plausibility {
  readonly #startedAt: number;
  #seenAt: number;
  /** CPU time and invocations that it may yet tell of. */
  #cpuUs = SLACK_US;
  #requests = MAX_REQUESTS_PER_MS * 1e3;

  /** `now`: ms since 1970. */
  constructor(now: number) {
    this.#startedAt = now;
    this.#seenAt = now;
  }

  /** Why the row cannot be, or undefined. */
  refuse({ totals, cpuBuckets, wallBuckets, event }: UsageRow, now: number): string | undefined {
    this.#pass(now);
    const invocations = totals.requests + totals.serviceCalls;
    const cpuUs = totals.cpuUs + totals.startCpuUs;
    if (cpuUs > this.#cpuUs) return 'more CPU time than has passed on all its threads';
    if (invocations + totals.coldStarts > this.#requests) return 'more invocations than it can have served';
    if (totals.errors > totals.requests || (event === 'start' && invocations > 0)) return 'more errors than requests';
    if (sum(cpuBuckets) !== invocations || sum(wallBuckets) !== invocations) return 'histograms that do not add up';
    const longestMs = now - this.#startedAt + SLACK_US / 1e3;
    if (totals.wallMs1 > invocations * longestMs || totals.wallMs100 > invocations * (longestMs + 100)) {
      return 'more time than the cell has been there';
    }
    if (totals.bytesIn > MAX_BYTES_PER_REQUEST || totals.bytesOut > MAX_BYTES_PER_REQUEST) return 'too many bytes';
    this.#cpuUs -= cpuUs;
    this.#requests -= invocations + totals.coldStarts;
    return undefined;
  }

  /** What was not refused has not been counted after all. */
  giveBack(rows: readonly UsageRow[]): void {
    for (const { totals } of rows) {
      this.#cpuUs += totals.cpuUs + totals.startCpuUs;
      this.#requests += totals.requests + totals.serviceCalls + totals.coldStarts;
    }
  }

  #pass(now: number): void {
    const passedMs = Math.max(now - this.#seenAt, 0);
    this.#seenAt = now;
    this.#cpuUs = Math.min(this.#cpuUs + passedMs * 1e3 * THREADS, MAX_SAVED_US + SLACK_US);
    this.#requests = Math.min(this.#requests + passedMs * MAX_REQUESTS_PER_MS, MAX_REQUESTS_PER_MS * 60_000);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
