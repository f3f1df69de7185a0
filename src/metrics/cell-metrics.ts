/** The metrics of the cells: of each cell, and of what they ask the supervisor together. */
import { LATENCY_BUCKETS_MS, type LatencyTotals } from '../latency-counts.ts';
import type { CellBoard } from './cell-board.ts';
import type { CellRecord } from './cell-record.ts';
import type { Exposition, MetricKind } from './exposition.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';

/** Latencies in seconds, as Prometheus wants them. */
export const LATENCY_BOUNDS_S = LATENCY_BUCKETS_MS.map((ms) => ms / 1e3);

interface CellMetric {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  readonly value: (cell: CellRecord) => number | undefined;
}

const CELL_METRICS: readonly CellMetric[] = [
  { name: 'up', kind: 'gauge', help: '1 while the cell serves.', value: ({ pid }) => (pid === undefined ? 0 : 1) },
  {
    name: 'memory_bytes',
    kind: 'gauge',
    help: 'Resident memory of its process.',
    value: ({ pid, memoryBytes }) => (pid === undefined ? 0 : (residentBytes(pid) ?? memoryBytes)),
  },
  {
    name: 'cpu_seconds_total',
    kind: 'counter',
    help: 'CPU time of its process, of all threads.',
    value: ({ pid }) => (pid === undefined ? undefined : cpuSeconds(pid)),
  },
  { name: 'instances', kind: 'gauge', help: 'Isolates with a Worker in them.', value: (cell) => cell.instances },
  { name: 'spares', kind: 'gauge', help: 'Isolates that are ready for a Worker.', value: (cell) => cell.spares },
  { name: 'invocations', kind: 'gauge', help: 'Invocations that have not ended.', value: (cell) => cell.running },
  {
    name: 'cold_starts_total',
    kind: 'counter',
    help: 'Invocations that waited for an instance.',
    value: (cell) => cell.coldStarts,
  },
  {
    name: 'evictions_total',
    kind: 'counter',
    help: 'Idle instances given up for their memory.',
    value: (cell) => cell.evicted,
  },
  { name: 'restarts_total', kind: 'counter', help: 'Times it ended by itself.', value: (cell) => cell.restarts },
];

export function writeCells(
  out: Exposition,
  { records: cells, hostCalls }: Pick<CellBoard, 'hostCalls' | 'records'>,
): void {
  for (const { name, kind, help, value } of CELL_METRICS) {
    out.metric(`isola_cell_${name}`, kind, help);
    for (const cell of cells) {
      const found = value(cell);
      if (found !== undefined) out.sample(`isola_cell_${name}`, { cell: cell.id, cordon: cell.cordon }, found);
    }
  }
  out.metric('isola_cell_queue_delay_seconds', 'histogram', 'How late the event loop was, sampled every 50 ms.');
  for (const { id, cordon, loopDelays } of cells) {
    out.histogram('isola_cell_queue_delay_seconds', { cell: id, cordon }, toSeconds(loopDelays));
  }
  writeHostCalls(out, hostCalls);
}

/** By kind, of all cells together. */
function writeHostCalls(out: Exposition, kinds: CellBoard['hostCalls']): void {
  const name = 'isola_host_call_seconds';
  out.metric(name, 'histogram', 'From what a Worker asked to the head of the answer, as its cell saw it.');
  for (const [kind, totals] of kinds) out.histogram(name, { kind }, toSeconds(totals));
}

export function toSeconds({ counts, sumMs }: LatencyTotals) {
  return { bounds: LATENCY_BOUNDS_S, counts, sum: sumMs / 1e3 };
}
