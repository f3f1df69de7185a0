/**
 * metering: how exact what is billed is, and what the counting costs. Metering is on and off by turns in one and the same
 * platform: two processes that run the same code differ by more than metering costs, for as long as they live.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CELL_FLAGS } from '../../src/supervisor/cell-process.ts';
import {
  METERING_TURN_MS,
  METERING_TURN_ORDER,
  METERING_TURNS,
  meteringTurnAt,
  type MeteringTurn,
} from '../../src/usage/index.ts';
import type { Context } from '../lib/context.ts';
import { runLoad, type Target } from '../lib/load.ts';
import { cpuUs } from '../lib/proc.ts';
import { atMost, row, type Row } from '../lib/report.ts';
import { median } from '../lib/stats.ts';
import type { MeteringFigures } from '../metering/main.ts';
import { startIsola } from '../peers/isola.ts';
import { helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

const CONNECTIONS = 64;
const CYCLES = 24; // of all kinds of turns
const CYCLES_QUICK = 3;
const SECONDS = 1; // of load in a turn: what is left of it, starting and stopping take
const SETTLE_MS = 100; // into a turn, when all cells have begun it
const MOST_PERCENT = 3;

export const metering: Measure = {
  id: 'metering',
  title: 'What is billed of CPU time that 1,000 requests use, and what metering costs a request',
  timeoutMs: 240_000,
  run: async (context, rows) => {
    const child = fork(fileURLToPath(new URL('../metering/main.ts', import.meta.url)), {
      execArgv: [...process.execArgv, ...CELL_FLAGS],
    });
    const [{ error, meterUs }] = (await once(child, 'message')) as [MeteringFigures];
    rows.push(row('billed CPU time is off by', '%', { isola: error * 100 }, [atMost(2, '%', Math.abs(error) * 100)]));
    rows.push(row('counting one request in the cell', 'µs', { isola: meterUs }));
    rows.push(...(await compareTurns(context)));
  },
};

interface Figures {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function compareTurns(context: Context): Promise<Row[]> {
  const isola = await startIsola(context, { env: { [METERING_TURNS]: '1' } });
  await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
  const target = isola.target('hello');
  await runTurn(target, isola.pids);
  const cycles: Record<MeteringTurn, Figures>[] = [];
  while (cycles.length < (context.quick ? CYCLES_QUICK : CYCLES)) {
    const figures: Partial<Record<MeteringTurn, Figures>> = {};
    for (const kind of METERING_TURN_ORDER) {
      await turnOf(kind);
      const turn = await runTurn(target, isola.pids);
      if (meteringTurnAt(Date.now()) === kind) figures[kind] = turn;
    }
    const { all, unmetered, unrecorded } = figures;
    if (all === undefined || unmetered === undefined || unrecorded === undefined) {
      context.log('a turn was over before its load: once more');
      continue;
    }
    cycles.push({ all, unmetered, unrecorded });
    context.log(`${toText(all)}; unmetered: ${toText(unmetered)}; unrecorded: ${toText(unrecorded)}`);
  }
  const medians = (of: (figures: Figures) => number): Row['values'] => ({
    isola: median(cycles.map(({ all }) => of(all))),
    unmetered: median(cycles.map(({ unmetered }) => of(unmetered))),
    unrecorded: median(cycles.map(({ unrecorded }) => of(unrecorded))),
  });
  /** In percent of what it is without, median of the cycles. */
  const more = (of: (figures: Figures) => number, without: 'unmetered' | 'unrecorded'): number =>
    100 * (median(cycles.map((cycle) => of(cycle.all) / of(cycle[without]))) - 1);
  const fewer = -more(({ perSecond }) => perSecond, 'unmetered');
  const dearer = more(({ cpuUs: us }) => us, 'unmetered');
  const recorded = more(({ cpuUs: us }) => us, 'unrecorded');
  return [
    row(
      'requests per second',
      '1/s',
      medians(({ perSecond }) => Math.round(perSecond)),
    ),
    row('fewer of them by metering', '%', { isola: fewer }, [atMost(MOST_PERCENT, '%', Math.max(fewer, 0))]),
    row(
      'CPU per request, all processes',
      'µs',
      medians(({ cpuUs: us }) => us),
    ),
    row('more of it by metering', '%', { isola: dearer }, [atMost(MOST_PERCENT, '%', Math.max(dearer, 0))]),
    row('more of it by metering and records, in logs/', '%', { isola: recorded }),
  ];
}

/** Resolves when the next one of this kind begins. */
async function turnOf(kind: MeteringTurn): Promise<void> {
  do await setTimeout(METERING_TURN_MS - (Date.now() % METERING_TURN_MS) + SETTLE_MS);
  while (meteringTurnAt(Date.now()) !== kind);
}

async function runTurn(target: Target, pids: () => readonly number[]): Promise<Figures> {
  const before = cpuUs(pids());
  const { requests, failed, seconds } = await runLoad({
    targets: [target],
    connections: CONNECTIONS,
    seconds: SECONDS,
  });
  if (requests === 0 || failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
  return { perSecond: requests / seconds, cpuUs: (cpuUs(pids()) - before) / requests };
}

function toText({ perSecond, cpuUs: us }: Figures): string {
  return `${Math.round(perSecond)}/s, ${us.toFixed(1)} µs CPU a request`;
}
