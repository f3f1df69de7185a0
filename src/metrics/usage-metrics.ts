/** The metrics of what Workers do, from the batches of usage that the ledger has taken: nothing is counted per request here. */
import {
  type CheckedRow,
  CPU_BUCKETS_US,
  createTotals,
  addTotals,
  type UsageTotals,
  WALL_BUCKETS_MS,
} from '../usage/index.ts';
import type { Exposition, Labels } from './exposition.ts';
import { WorkerSeries } from './worker-series.ts';

const NAMED_WORKERS = 50; // some 60 lines each
const RERANK_EVERY_MS = 60_000;
const CPU_BOUNDS_S = CPU_BUCKETS_US.map((us) => us / 1e6);
const WALL_BOUNDS_S = WALL_BUCKETS_MS.map((ms) => ms / 1e3);

interface Series {
  readonly totals: ReturnType<typeof createTotals>;
  /** By event and outcome. */
  readonly ended: Map<string, { readonly labels: Labels; count: number }>;
  readonly cpuBuckets: number[];
  readonly wallBuckets: number[];
}

const SUMS: readonly (readonly [name: string, help: string, value: (totals: UsageTotals) => number])[] = [
  ['cpu_seconds_total', 'CPU time of handlers.', ({ cpuUs }) => cpuUs / 1e6],
  ['start_cpu_seconds_total', 'CPU time of starting instances.', ({ startCpuUs }) => startCpuUs / 1e6],
  ['cold_starts_total', 'Instances started while a request waited.', ({ coldStarts }) => coldStarts],
  ['subrequests_total', 'What handlers asked of others.', ({ subrequests }) => subrequests],
  ['body_bytes_in_total', 'Bytes of bodies and messages from clients.', ({ bytesIn }) => bytesIn],
  ['body_bytes_out_total', 'The same to clients.', ({ bytesOut }) => bytesOut],
];

export class UsageMetrics {
  readonly #workers = new WorkerSeries<Series>(NAMED_WORKERS, createSeries);
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#workers.rerank(), RERANK_EVERY_MS);
    this.#timer.unref();
  }

  /** Counts what the ledger has taken, once. */
  add(rows: readonly CheckedRow[]): void {
    for (const { account, worker, event, outcome, totals, cpuBuckets, wallBuckets } of rows) {
      const ended = totals.requests + totals.serviceCalls;
      const series = this.#workers.of({ account, worker }, ended);
      addTotals(series.totals, totals);
      addTo(series.cpuBuckets, cpuBuckets);
      addTo(series.wallBuckets, wallBuckets);
      if (ended === 0) continue;
      const key = `${event} ${outcome}`;
      const sum = series.ended.get(key);
      if (sum === undefined) series.ended.set(key, { labels: { event, outcome }, count: ended });
      else sum.count += ended;
    }
  }

  write(out: Exposition): void {
    const all = [...this.#workers.all()].map(([owner, series]) => [{ ...owner }, series] as const);
    out.metric('isola_invocations_total', 'counter', 'Invocations that ended, by how.');
    for (const [owner, { ended }] of all) {
      for (const { labels, count } of ended.values()) {
        out.sample('isola_invocations_total', { ...owner, ...labels }, count);
      }
    }
    for (const [name, help, value] of SUMS) {
      out.metric(`isola_worker_${name}`, 'counter', help);
      for (const [owner, { totals }] of all) out.sample(`isola_worker_${name}`, owner, value(totals));
    }
    out.metric('isola_invocation_cpu_seconds', 'histogram', 'CPU time of an invocation.');
    for (const [owner, { cpuBuckets, totals }] of all) {
      const histogram = { bounds: CPU_BOUNDS_S, counts: cpuBuckets, sum: totals.cpuUs / 1e6 };
      out.histogram('isola_invocation_cpu_seconds', owner, histogram);
    }
    out.metric('isola_invocation_wall_seconds', 'histogram', 'From the beginning of an invocation to its end.');
    for (const [owner, { wallBuckets, totals }] of all) {
      const histogram = { bounds: WALL_BOUNDS_S, counts: wallBuckets, sum: totals.wallUs / 1e6 };
      out.histogram('isola_invocation_wall_seconds', owner, histogram);
    }
  }

  async deleteAccount(account: string): Promise<void> {
    this.#workers.deleteAccount(account);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function createSeries(): Series {
  const buckets = (bounds: readonly number[]) => Array.from({ length: bounds.length + 1 }, () => 0);
  return {
    totals: createTotals(),
    ended: new Map(),
    cpuBuckets: buckets(CPU_BUCKETS_US),
    wallBuckets: buckets(WALL_BUCKETS_MS),
  };
}

function addTo(sums: number[], counts: readonly number[]): void {
  for (const [index, count] of counts.entries()) sums[index]! += count;
}
