/**
 * A load generator over raw sockets, run by load.ts as a process: options as JSON in its argument, result on standard
 * output. Knows only answers with `content-length`, or chunked ones whose end arrives in one piece: hello Workers and files.
 */
import { type Lane, openLane } from './lane.ts';
import type { LoadOptions, LoadResult, Target } from './load.ts';
import { percentile } from './stats.ts';

const { targets, connections, seconds }: LoadOptions = JSON.parse(process.argv[2] ?? '{}');
const latencies: number[] = [];
let failed = 0;
let over = false;
let next = 0;

// A connection stays with its port; where there are more ports than connections, each lane walks over several.
const byPort = Map.groupBy(targets, ({ port }) => port);
const lanesPerPort = Math.max(1, Math.floor(connections / byPort.size));
const waiting: Lane[] = [];
for (const group of byPort.values()) {
  for (let lane = 0; lane < lanesPerPort; lane += 1) waiting.push(openCountedLane(group));
}
const start = performance.now();
for (let lane = 0; lane < connections; lane += 1) sendNext();
setTimeout(finish, seconds * 1000);

/** Hands the next request to the lane that has waited longest, so that ports are called in turn. */
function sendNext(): void {
  if (!over) waiting.shift()?.send();
}

function openCountedLane(group: readonly Target[]): Lane {
  const lane = openLane(
    group,
    () => next++,
    ({ ms, isGood }) => {
      if (!isGood) failed += 1;
      latencies.push(ms);
      waiting.push(lane);
      sendNext();
    },
  );
  lane.socket.on('close', () => {
    if (!over) failed += 1;
  });
  return lane;
}

function finish(): void {
  over = true;
  const result: LoadResult = {
    requests: latencies.length,
    seconds: (performance.now() - start) / 1000,
    failed,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}
