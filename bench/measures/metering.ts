/**
 * metering: how exact what is billed is, and what the counting costs. Metering is on and off by turns in one and the same
 * platform: two processes that run the same code differ by more than metering costs, for as long as they live.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CELL_FLAGS } from '../../src/supervisor/cell-process.ts';
import { isMeteredAt, METERING_TURN_MS, METERING_TURNS } from '../../src/usage/index.ts';
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
const PAIRS = 16;
const PAIRS_QUICK = 2;
const SECONDS = 2; // less than a turn: what is left of it, starting and stopping take
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

interface Turn {
  readonly perSecond: number;
  readonly cpuUsPerRequest: number;
}

async function compareTurns(context: Context): Promise<Row[]> {
  const isola = await startIsola(context, { env: { [METERING_TURNS]: '1' } });
  await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
  const target = isola.target('hello');
  const turn = async (isMetered: boolean): Promise<Turn> => {
    await turnOf(isMetered);
    const began = Date.now();
    const turn = await runTurn(target, isola.pids);
    if (isMeteredAt(began) !== isMeteredAt(Date.now())) context.log('a turn took too long: it is no good');
    return turn;
  };
  await turn(true);
  const pairs: { readonly on: Turn; readonly off: Turn }[] = [];
  for (let pair = 0; pair < (context.quick ? PAIRS_QUICK : PAIRS); pair++) {
    const off = await turn(false);
    const on = await turn(true);
    pairs.push({ on, off });
    context.log(`${toText(on)}; unmetered: ${toText(off)}`);
  }
  const figures = (of: (turn: Turn) => number): Row['values'] => ({
    isola: median(pairs.map(({ on }) => of(on))),
    unmetered: median(pairs.map(({ off }) => of(off))),
  });
  const slower = 100 * (1 - median(pairs.map(({ on, off }) => on.perSecond / off.perSecond)));
  const dearer = 100 * (median(pairs.map(({ on, off }) => on.cpuUsPerRequest / off.cpuUsPerRequest)) - 1);
  return [
    row(
      'requests per second, median',
      '1/s',
      figures(({ perSecond }) => Math.round(perSecond)),
    ),
    row('fewer because of metering, median of pairs', '%', { isola: slower }, [atMost(MOST_PERCENT, '%', slower)]),
    row(
      'CPU per request, all processes, median',
      'µs',
      figures(({ cpuUsPerRequest }) => cpuUsPerRequest),
    ),
    row('more because of metering, median of pairs', '%', { isola: dearer }, [atMost(MOST_PERCENT, '%', dearer)]),
  ];
}

/** Resolves when the next one of this kind begins. */
async function turnOf(isMetered: boolean): Promise<void> {
  do await setTimeout(METERING_TURN_MS - (Date.now() % METERING_TURN_MS) + SETTLE_MS);
  while (isMeteredAt(Date.now()) !== isMetered);
}

async function runTurn(target: Target, pids: () => readonly number[]): Promise<Turn> {
  const before = cpuUs(pids());
  const { requests, failed, seconds } = await runLoad({
    targets: [target],
    connections: CONNECTIONS,
    seconds: SECONDS,
  });
  if (requests === 0 || failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
  return { perSecond: requests / seconds, cpuUsPerRequest: (cpuUs(pids()) - before) / requests };
}

function toText({ perSecond, cpuUsPerRequest }: Turn): string {
  return `${Math.round(perSecond)}/s, ${cpuUsPerRequest.toFixed(1)} µs CPU a request`;
}
