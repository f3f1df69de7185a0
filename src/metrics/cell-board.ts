/** What is known of all cells now: for the page that shows them, and for the metrics. */
import { LATENCY_BUCKETS_MS, type LatencySample, LatencyTotals } from '../latency-counts.ts';
import { type CellEvent, CellRecord } from './cell-record.ts';
import { parseStats } from './parse-stats.ts';
import { residentBytes } from './process-usage.ts';

export interface CellView {
  readonly id: string;
  readonly pid: number | undefined;
  readonly cordon: string;
  readonly startedAt: number;
  readonly memoryBytes: number;
  readonly spares: number;
  readonly instances: number;
  readonly evicted: number;
  readonly restarts: number;
  readonly running: number;
  /** The longest of the last second, as the bound of its bucket. */
  readonly loopDelayMs: number;
  readonly isolates: readonly IsolateView[];
  readonly events: readonly CellEvent[];
}

export interface IsolateView {
  readonly account: string;
  readonly worker: string;
  readonly version: string;
  readonly memoryBytes: number;
  readonly cpuUs: number;
  readonly requests: number;
  readonly idleMs: number;
  readonly ageMs: number;
}

export interface CellBoardOptions {
  /** ms since 1970. */
  readonly now: () => number;
  /** Resident bytes of a process, where the system tells. */
  readonly memoryOf?: (pid: number) => number | undefined;
}

export class CellBoard {
  /** By kind, of all cells together, with those that are gone: cells come and go, and no counter may go back. */
  readonly hostCalls = new Map<string, LatencyTotals>();
  readonly #options: CellBoardOptions;
  readonly #cells = new Map<string, CellRecord>();

  constructor(options: CellBoardOptions) {
    this.#options = options;
  }

  /** There are no others any more. One that is ending may still be told of. */
  keepOnly(ids: readonly string[]): void {
    for (const id of this.#cells.keys()) if (!ids.includes(id)) this.#cells.delete(id);
  }

  /** Its process is being started: what it tells from here on is of this one. */
  starting(id: string, cordon = 'default'): void {
    const now = this.#options.now();
    const known = this.#cells.get(id);
    if (known === undefined) this.#cells.set(id, new CellRecord(id, cordon, now));
    else known.startedAt = now;
  }

  serving(id: string, pid: number | undefined): void {
    const cell = this.#cells.get(id);
    if (cell !== undefined) cell.pid = pid;
  }

  /** Takes a message of the cell. What is malformed is dropped as a whole. */
  take(id: string, message: unknown): void {
    const stats = parseStats(message);
    if (stats === undefined) return;
    for (const [kind, sample] of stats.hostCalls) this.#hostCallsOf(kind).add(sample);
    this.#cells.get(id)?.take(stats, this.#options.now());
  }

  /** Its process has ended by itself; another one comes. */
  ended(id: string): void {
    const cell = this.#cells.get(id);
    if (cell === undefined) return;
    cell.forget();
    cell.restarts++;
    this.note(id, { kind: 'restarted' });
  }

  note(id: string, event: Omit<CellEvent, 'at'>): void {
    this.#cells.get(id)?.note({ ...event, at: this.#options.now() });
  }

  get records(): readonly CellRecord[] {
    return [...this.#cells.values()];
  }

  /** All cells, or what an account has in them. */
  list(account?: string): CellView[] {
    const cells = this.records.map((cell) => this.#view(cell, account));
    return account === undefined ? cells : cells.filter(({ isolates, events }) => isolates.length + events.length > 0);
  }

  #hostCallsOf(kind: string): LatencyTotals {
    let totals = this.hostCalls.get(kind);
    if (totals === undefined) this.hostCalls.set(kind, (totals = new LatencyTotals()));
    return totals;
  }

  #view(cell: CellRecord, account: string | undefined): CellView {
    const now = this.#options.now();
    const { id, pid, cordon, startedAt, spares, instances, evicted, restarts, running } = cell;
    const isOurs = (of: { account?: string }) => account === undefined || of.account === account;
    const isolates = [...cell.isolates.values()].filter(isOurs).map(({ madeAt, usedAt, ...isolate }) => ({
      ...isolate,
      idleMs: Math.max(now - usedAt, 0),
      ageMs: Math.max(now - madeAt, 0),
    }));
    const events = cell.events.filter(isOurs).toReversed();
    const memoryBytes = (pid === undefined ? 0 : this.#memoryOf(pid)) ?? cell.memoryBytes;
    const loopDelayMs = longest(cell.loopDelay);
    const process = { id, pid, cordon, startedAt, memoryBytes, spares, instances, evicted, restarts, running };
    return { ...process, loopDelayMs, isolates, events };
  }

  #memoryOf(pid: number): number | undefined {
    return (this.#options.memoryOf ?? residentBytes)(pid);
  }
}

function longest({ counts }: LatencySample): number {
  const bucket = counts.findLastIndex((count) => count > 0);
  return bucket < 0 ? 0 : (LATENCY_BUCKETS_MS[bucket] ?? LATENCY_BUCKETS_MS.at(-1)!);
}
