/**
 * A load generator over raw sockets, run by load.ts as a process: options as JSON in its argument, result on standard
 * output. Knows only answers with `content-length`, or chunked ones whose end arrives in one piece: hello Workers and files.
 */
import { openLane } from './lane.ts';
import type { LoadOptions, LoadResult, Target } from './load.ts';
import { percentile } from './stats.ts';

interface PacedLane {
  /** `dueAt`: from when on its latency counts. */
  send(dueAt: number): void;
}

const TICK_MS = 1; // between two looks at what is due: what comes late by it counts as latency

const { targets, connections, seconds, rate }: LoadOptions = JSON.parse(process.argv[2] ?? '{}');
const latencies: number[] = [];
let failed = 0;
let over = false;
let next = 0;

// A connection stays with its port; where there are more ports than connections, each lane walks over several.
const byPort = Map.groupBy(targets, ({ port }) => port);
const lanesPerPort = Math.max(1, Math.floor(connections / byPort.size));
const waiting: PacedLane[] = [];
/** Due, and no lane is free. */
const late: number[] = [];
for (const group of byPort.values()) {
  for (let lane = 0; lane < lanesPerPort; lane += 1) waiting.push(openCountedLane(group));
}
const start = performance.now();
if (rate === undefined) for (let lane = 0; lane < connections; lane += 1) sendNext();
else pace(rate);
setTimeout(finish, seconds * 1000);

/** Hands the next request to the lane that has waited longest, so that ports are called in turn. */
function sendNext(): void {
  if (over) return;
  const dueAt = rate === undefined ? performance.now() : late[0];
  if (dueAt === undefined || waiting.length === 0) return;
  late.shift();
  waiting.shift()?.send(dueAt);
}

/** Requests come due at their times, whether those before have been answered or not. */
function pace(perSecond: number): void {
  const gapMs = 1_000 / perSecond;
  let dueAt = start;
  setInterval(() => {
    for (const now = performance.now(); dueAt <= now; dueAt += gapMs) {
      late.push(dueAt);
      sendNext();
    }
  }, TICK_MS);
}

function openCountedLane(group: readonly Target[]): PacedLane {
  let from = 0;
  const lane = openLane(
    group,
    () => next++,
    ({ isGood }) => {
      if (!isGood) failed += 1;
      latencies.push(performance.now() - from);
      waiting.push(paced);
      sendNext();
    },
  );
  const paced: PacedLane = {
    send: (dueAt) => {
      from = dueAt;
      lane.send();
    },
  };
  lane.socket.on('close', () => {
    if (!over) failed += 1;
  });
  return paced;
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
