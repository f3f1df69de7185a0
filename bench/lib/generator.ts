/**
 * A load generator over raw sockets, run by load.ts as a process: options as JSON in its argument, result on standard
 * output. Knows only answers with `content-length`, or chunked ones whose end arrives in one piece: hello Workers and files.
 */
import net from 'node:net';
import type { LoadOptions, LoadResult, Target } from './load.ts';
import { percentile } from './stats.ts';

interface Lane {
  readonly socket: net.Socket;
  send(): void;
}

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
  for (let lane = 0; lane < lanesPerPort; lane += 1) waiting.push(openLane(group));
}
const start = performance.now();
for (let lane = 0; lane < connections; lane += 1) sendNext();
setTimeout(finish, seconds * 1000);

/** Hands the next request to the lane that has waited longest, so that ports are called in turn. */
function sendNext(): void {
  if (!over) waiting.shift()?.send();
}

function openLane(group: readonly Target[]): Lane {
  const requests = group.map(({ host }) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const socket = net.connect(group[0]?.port ?? 0, '127.0.0.1').setNoDelay(true);
  let sentAt = 0;
  let head = '';
  /** Bytes of the answer still to come, once its head has; a chunked one has its end in the piece that ends so. */
  let due: number | undefined;
  const lane: Lane = {
    socket,
    send: () => {
      sentAt = performance.now();
      socket.write(requests[next++ % requests.length] ?? '');
    },
  };
  socket.on('data', (chunk: Buffer) => {
    if (due === undefined) {
      head += chunk.toString('latin1');
      due = dueAfter(head);
      if (due === undefined) return;
      if (!/^HTTP\/1\.1 [23]/.test(head)) failed += 1;
      head = '';
    } else due -= chunk.length;
    if (due > 0) return;
    due = undefined;
    latencies.push(performance.now() - sentAt);
    waiting.push(lane);
    sendNext();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (!over) failed += 1;
  });
  return lane;
}

/** Undefined while the head, or the end of a chunked body, is not there. */
function dueAfter(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1];
  if (length === undefined) return text.endsWith('0\r\n\r\n') ? 0 : undefined;
  return end + 4 + Number(length) - text.length;
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
