import type { VersionId } from '../ids.ts';
import type { InvocationRecord, StartRecord } from '../model.ts';
import type { UsageRow } from './batch.ts';
import {
  bucketOf,
  CPU_BUCKETS_US,
  createTotals,
  USAGE_EVENTS,
  USAGE_OUTCOMES,
  type UsageEvent,
  type UsageOutcome,
  WALL_BUCKETS_MS,
} from './totals.ts';

/** What has been counted of an invocation while it ran. */
export interface Told {
  cpuUs: number;
  wallUs: number;
  bytesIn: number;
  bytesOut: number;
  subrequests: number;
}

type RunningRecord = Pick<
  InvocationRecord,
  'version' | 'event' | 'service' | 'cpuUs' | 'wallMs' | 'bytesIn' | 'bytesOut' | 'subrequests'
>;

const IDLE_CUTS = 20; // a version that was not used for so long gives its rows back

/**
 * Adds up what a cell's invocations use, by version, event and outcome, until somebody cuts: takes what there is and
 * lets the sums begin anew. Runs once a request, so that it makes nothing there but looks up a row.
 */
export class Meter {
  readonly #versions = new Map<VersionId, VersionSums>();
  #changed: Sum[] = [];
  #cuts = 0;

  /** An invocation has ended. `told`: what `running` has counted of it. */
  end(record: InvocationRecord, told: Told | undefined): void {
    const sum = this.#sum(record.version, toEvent(record), record.outcome);
    const { totals } = sum;
    if (record.service === true) totals.serviceCalls++;
    else {
      totals.requests++;
      if (record.outcome !== 'ok' && record.outcome !== 'canceled') totals.errors++;
    }
    totals.wallMs1 += Math.ceil(record.wallMs);
    totals.wallMs100 += Math.ceil(record.wallMs / 100) * 100;
    addUse(sum, record, told);
    sum.cpuBuckets[bucketOf(CPU_BUCKETS_US, record.cpuUs)]! += 1;
    sum.wallBuckets[bucketOf(WALL_BUCKETS_MS, record.wallMs)]! += 1;
  }

  /** An invocation goes on: counts what it has used since it was told before. Returns what it is to be told next time. */
  running(record: RunningRecord, told: Told | undefined): Told {
    return addUse(this.#sum(record.version, toEvent(record), 'running'), record, told);
  }

  /** An instance was started, or failed to. */
  start(record: StartRecord): void {
    const { totals } = this.#sum(record.version, 'start', record.outcome);
    totals.startCpuUs += record.cpuUs;
    if (record.cold) totals.coldStarts++;
  }

  /** What has been used since the last cut. */
  cut(): UsageRow[] {
    const changed = this.#changed;
    this.#changed = [];
    this.#cuts++;
    if (this.#cuts % IDLE_CUTS === 0) {
      for (const [version, { usedAt }] of this.#versions) {
        if (usedAt < this.#cuts - IDLE_CUTS) this.#versions.delete(version);
      }
    }
    return changed.map((sum) => sum.take());
  }

  #sum(version: VersionId, event: UsageEvent, outcome: UsageOutcome): Sum {
    let sums = this.#versions.get(version);
    if (sums === undefined) {
      sums = { rows: [], usedAt: 0 };
      this.#versions.set(version, sums);
    }
    sums.usedAt = this.#cuts;
    const index = USAGE_EVENTS.indexOf(event) * USAGE_OUTCOMES.length + USAGE_OUTCOMES.indexOf(outcome);
    const sum = (sums.rows[index] ??= new Sum(version, event, outcome));
    if (!sum.changed) {
      sum.changed = true;
      this.#changed.push(sum);
    }
    return sum;
  }
}

interface VersionSums {
  /** By event and outcome. */
  readonly rows: Sum[];
  /** The number of cuts then. */
  usedAt: number;
}

class Sum {
  changed = false;
  totals = createTotals();
  cpuBuckets = createBuckets(CPU_BUCKETS_US);
  wallBuckets = createBuckets(WALL_BUCKETS_MS);
  readonly #version: VersionId;
  readonly #event: UsageEvent;
  readonly #outcome: UsageOutcome;

  constructor(version: VersionId, event: UsageEvent, outcome: UsageOutcome) {
    this.#version = version;
    this.#event = event;
    this.#outcome = outcome;
  }

  take(): UsageRow {
    const { totals, cpuBuckets, wallBuckets } = this;
    this.changed = false;
    this.totals = createTotals();
    this.cpuBuckets = createBuckets(CPU_BUCKETS_US);
    this.wallBuckets = createBuckets(WALL_BUCKETS_MS);
    return { version: this.#version, event: this.#event, outcome: this.#outcome, totals, cpuBuckets, wallBuckets };
  }
}

/** Adds what an invocation has used beyond what was told of it. */
function addUse({ totals }: Sum, record: RunningRecord, told: Told | undefined): Told {
  const now: Told = told ?? { cpuUs: 0, wallUs: 0, bytesIn: 0, bytesOut: 0, subrequests: 0 };
  const { cpuUs, bytesIn, bytesOut, subrequests } = record;
  const wallUs = Math.round(record.wallMs * 1e3);
  // A clock that is read while an entry runs may be a little ahead of the one that is read at its end.
  totals.cpuUs += Math.max(cpuUs - now.cpuUs, 0);
  totals.wallUs += Math.max(wallUs - now.wallUs, 0);
  totals.subrequests += subrequests - now.subrequests;
  if (record.service !== true) {
    totals.bytesIn += bytesIn - now.bytesIn;
    totals.bytesOut += bytesOut - now.bytesOut;
  }
  now.cpuUs = Math.max(cpuUs, now.cpuUs);
  now.wallUs = Math.max(wallUs, now.wallUs);
  now.bytesIn = bytesIn;
  now.bytesOut = bytesOut;
  now.subrequests = subrequests;
  return now;
}

function toEvent({ event, service }: Pick<InvocationRecord, 'event' | 'service'>): UsageEvent {
  return service === true ? 'service' : event;
}

function createBuckets(bounds: readonly number[]): number[] {
  return Array.from({ length: bounds.length + 1 }, () => 0);
}
