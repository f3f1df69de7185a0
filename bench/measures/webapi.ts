/** webapi: operations of the Web platform in an isolate, beside the same code in plain Node. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CELL_FLAGS } from '../../src/supervisor/cell-process.ts';
import type { Context } from '../lib/context.ts';
import { atMost, atMostTimes, type Goal, type Row, row } from '../lib/report.ts';
import { median } from '../lib/stats.ts';
import { operations } from '../webapi/operations.js';
import type { IsolateFigures } from '../webapi/isolates.ts';
import type { Task } from '../webapi/task.ts';
import type { Measure } from './measure.ts';

const ROUNDS = 7;
const ROUND_US = 60_000; // the CPU time of threads is counted in steps of some ms
const MAX_TIMES = 4_096;

/** How many times Node's CPU time an operation may take, by the beginning of its name. */
const LIMITS: readonly (readonly [prefix: string, limit: number])[] = [
  ['new URL', 1.5],
  ['url.', 1.5],
  ['new Headers', 1],
  ['headers', 1],
  ['new Request', 1],
  ['new Response', 1],
  ['Response.json', 1],
  ['response.text', 1],
  ['response.clone', 1],
  ['stream of', 1.5],
  ['encode 1 KB', 2],
  ['decode 1 KB', 2],
];

export const webapi: Measure = {
  id: 'webapi',
  title: `Web APIs in an isolate and in Node, CPU time each, median of ${ROUNDS} rounds`,
  timeoutMs: 300_000,
  run: async (context, rows) => {
    const isola = start('isola.ts', CELL_FLAGS);
    const node = start('node.ts', []);
    for (const [name, [count]] of Object.entries(operations)) {
      if (!context.operations.some((prefix) => name.startsWith(prefix))) continue;
      rows.push(await measure(context, { name, count }, { isola, node }));
    }
    isola.disconnect();
    node.disconnect();
    rows.push(...(await measureIsolates()));
  },
};

/** Without tenant code: what comes from the snapshot. Memory of the platform's own; workerd's is in measure d. */
async function measureIsolates(): Promise<Row[]> {
  const child = start('isolates.ts', CELL_FLAGS);
  const rows: Row[] = [];
  for (const [variant, what] of [
    ['plain', 'isolate and context'],
    ['streams', 'the same, with streams'],
  ] as const) {
    child.send(variant);
    const [{ ms, kB }] = (await once(child, 'message')) as [IsolateFigures];
    rows.push(row(what, 'ms', { isola: ms }, [atMost(4.5, 'ms', ms)]));
    rows.push(row(`${what}, memory`, 'kB', { isola: kB }, variant === 'plain' ? [atMost(1_536, 'kB', kB)] : []));
  }
  child.disconnect();
  return rows;
}

interface Hosts {
  readonly isola: ChildProcess;
  readonly node: ChildProcess;
}

/** Rounds take turns, so that what else the machine does befalls both. */
async function measure(context: Context, { name, count }: { name: string; count: number }, hosts: Hosts): Promise<Row> {
  const times: { isola: number[]; node: number[] } = { isola: [], node: [] };
  const rounds = context.quick ? 3 : ROUNDS;
  const repeat = await calibrate(hosts.node, name);
  for (let round = -1; round < rounds; round += 1) {
    for (const host of ['isola', 'node'] as const) {
      const us = await ask(hosts[host], { name, times: repeat });
      if (round >= 0) times[host].push(us / count / repeat);
    }
  }
  const values = { isola: median(times.isola), node: median(times.node) };
  context.log(`${name}: ${(values.isola / values.node).toFixed(2)} × node`);
  return row(name, 'µs', values, goalsOf(name, values));
}

function goalsOf(name: string, values: { isola: number; node: number }): Goal[] {
  const limit = LIMITS.find(([prefix]) => name.startsWith(prefix))?.[1];
  return limit === undefined ? [] : [atMostTimes(limit, 'node', values)];
}

function start(file: string, flags: readonly string[]): ChildProcess {
  const path = fileURLToPath(new URL(`../webapi/${file}`, import.meta.url));
  return fork(path, { execArgv: ['--no-warnings', ...flags] });
}

/** How often Node has to repeat an operation for a round of a measurable length. */
async function calibrate(node: ChildProcess, name: string): Promise<number> {
  let times = 1;
  while (times < MAX_TIMES && (await ask(node, { name, times })) < ROUND_US) times *= 2;
  return times;
}

async function ask(child: ChildProcess, task: Task): Promise<number> {
  child.send(task);
  const [us] = (await once(child, 'message')) as [number];
  return us;
}
