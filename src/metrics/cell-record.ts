/** One cell as it was last heard of, through all the processes that served under its id. */
import { type LatencySample, LatencyTotals, NO_LATENCIES } from '../latency-counts.ts';
import type { CheckedStats } from './parse-stats.ts';

const MAX_ISOLATES = 8_192; // a cell has 6,000 at most
const MAX_EVENTS = 100;

export interface CellEvent {
  readonly kind: 'evicted' | 'quarantined' | 'restarted';
  readonly account?: string;
  readonly worker?: string;
  /** ms since 1970. */
  readonly at: number;
}

export interface IsolateRecord {
  readonly account: string;
  readonly worker: string;
  readonly version: string;
  memoryBytes: number;
  /** In the last second that was told of. */
  cpuUs: number;
  requests: number;
  readonly madeAt: number;
  usedAt: number;
}

export class CellRecord {
  readonly id: string;
  readonly cordon: string;
  /** Undefined while it is not there. */
  pid: number | undefined;
  startedAt: number;
  /** As it said. */
  memoryBytes = 0;
  spares = 0;
  instances = 0;
  running = 0;
  evicted = 0;
  coldStarts = 0;
  restarts = 0;
  /** Of the last second. */
  loopDelay: LatencySample = NO_LATENCIES;
  /** All so far. */
  readonly loopDelays = new LatencyTotals();
  readonly isolates = new Map<number, IsolateRecord>();
  readonly events: CellEvent[] = [];
  /** Isolates whose numbers of the last second are not zero. */
  #active: IsolateRecord[] = [];

  constructor(id: string, cordon: string, startedAt: number) {
    this.id = id;
    this.cordon = cordon;
    this.startedAt = startedAt;
  }

  take(stats: CheckedStats, now: number): void {
    this.memoryBytes = stats.memoryBytes;
    this.spares = stats.spares;
    this.instances = stats.instances;
    this.running = stats.running;
    this.evicted += stats.evicted;
    this.coldStarts += stats.coldStarts;
    this.loopDelay = stats.loopDelay;
    this.loopDelays.add(stats.loopDelay);
    for (const id of stats.gone) this.isolates.delete(id);
    for (const [id, account, worker, version, ageMs] of stats.made) {
      if (this.isolates.size >= MAX_ISOLATES) break;
      const madeAt = now - ageMs;
      this.isolates.set(id, { account, worker, version, memoryBytes: 0, cpuUs: 0, requests: 0, madeAt, usedAt: now });
    }
    this.#takeUsed(stats.used, now);
    for (const [account, worker] of stats.evictions) this.note({ kind: 'evicted', account, worker, at: now });
  }

  note(event: CellEvent): void {
    this.events.push(event);
    if (this.events.length > MAX_EVENTS) this.events.shift();
  }

  /** Its process has ended, and everything in it. */
  forget(): void {
    this.pid = undefined;
    this.isolates.clear();
    this.#active = [];
    this.memoryBytes = 0;
    this.spares = 0;
    this.instances = 0;
    this.running = 0;
    this.loopDelay = NO_LATENCIES;
  }

  #takeUsed(used: CheckedStats['used'], now: number): void {
    for (const isolate of this.#active) {
      isolate.cpuUs = 0;
      isolate.requests = 0;
    }
    this.#active = [];
    for (const [id, memoryBytes, cpuUs, requests] of used) {
      const isolate = this.isolates.get(id);
      if (isolate === undefined) continue;
      isolate.memoryBytes = memoryBytes;
      isolate.cpuUs = cpuUs;
      isolate.requests = requests;
      if (cpuUs === 0 && requests === 0) continue; // its memory was measured
      isolate.usedAt = now;
      this.#active.push(isolate);
    }
  }
}
