/**
 * sandbox: what confinement costs a request. The platform as it is beside one whose cells are ordinary processes and whose
 * gateway counts nothing; in one platform, cells behind one layer each; and a system call behind filters.
 *
 * Two processes that run the same code differ by some percent for as long as they live, so one of each tells nothing: the
 * ratios are means over many starts.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Context } from '../lib/context.ts';
import { runLoad, type Target } from '../lib/load.ts';
import { untilQuiet } from '../lib/quiet.ts';
import { row, type Row } from '../lib/report.ts';
import { Slices } from '../lib/slices.ts';
import { confidence, median } from '../lib/stats.ts';
import { type Isola, startIsola } from '../peers/isola.ts';
import { type Variant, VARIANTS } from '../peers/layers.ts';
import { helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

const CONNECTIONS = 64;
const SLICE_MS = 150;
const WARM_UP_MS = 1_500;
const SLICES = 12;
const STARTS = 12;
const STARTS_OF_LAYERS = 5;
const STARTS_QUICK = 2;
const FILTER_RUNS = 3;
const MOST_RATIO = 1.02;
const FILTERS = fileURLToPath(new URL('../filters/main.ts', import.meta.url));

interface Side {
  readonly target: Target;
  /** Whose CPU time counts; asked once it has served. */
  readonly pids: () => readonly number[];
}

export const sandbox: Measure = {
  id: 'sandbox',
  title: `Layers of confinement on and off, one hello Worker, ${CONNECTIONS} connections`,
  timeoutMs: 900_000,
  run: async (context, rows) => {
    for (const filters of ['none', 'empty', 'ours']) {
      const runs = Array.from({ length: FILTER_RUNS }, () => callNs(filters));
      rows.push(row(`one system call, filters: ${filters}`, 'ns', { isola: Math.min(...runs) }));
    }
    rows.push(await wholeRow(context, context.quick ? STARTS_QUICK : STARTS));
    rows.push(...(await layerRows(context, context.quick ? STARTS_QUICK : STARTS_OF_LAYERS)));
  },
};

function callNs(filters: string): number {
  return Number(execFileSync(process.execPath, [...process.execArgv, FILTERS, filters], { encoding: 'utf8' }));
}

async function wholeRow(context: Context, starts: number): Promise<Row> {
  const samples = await repeat(starts, context, () => openBoth(context));
  const [isola, unconfined] = [0, 1].map((side) => median(samples.flatMap((start) => start[side] ?? [])));
  const { mean, plusMinus } = confidence(samples.map((start) => toRatio(start, 0, 1)));
  const text = `mean ratio of ${starts} starts (± ${plusMinus.toFixed(3)}, 95 %) ≤ ${MOST_RATIO}`;
  const values = { isola: isola ?? NaN, unconfined: unconfined ?? NaN };
  return row('CPU per request, all processes', 'µs', values, [{ text, value: mean, atMost: MOST_RATIO }]);
}

async function layerRows(context: Context, starts: number): Promise<Row[]> {
  const orders = Array.from({ length: starts }, (_, start) =>
    VARIANTS.map((_, at) => at).map((at) => (at + start) % VARIANTS.length),
  );
  const variantOf = (start: number, side: number): Variant => VARIANTS[orders[start]?.[side] ?? 0] ?? 'nothing';
  const samples = await repeat(starts, context, (start) =>
    openLayers(
      context,
      VARIANTS.map((_, side) => variantOf(start, side)),
    ),
  );
  return VARIANTS.filter((variant) => variant !== 'nothing').map((variant) => {
    const ratios = samples.map((start, at) => {
      const sideOf = (wanted: Variant): number => VARIANTS.findIndex((_, side) => variantOf(at, side) === wanted);
      return toRatio(start, sideOf(variant), sideOf('nothing'));
    });
    const { mean, plusMinus } = confidence(ratios);
    return row(`${variant} alone, over nothing (± ${(plusMinus * 100).toFixed(1)})`, '%', { isola: (mean - 1) * 100 });
  });
}

/** Per start, side and slice: CPU time per request. */
async function repeat(
  starts: number,
  context: Context,
  open: (start: number) => Promise<Opened>,
): Promise<number[][][]> {
  const all: number[][][] = [];
  for (let start = 0; start < starts; start++) {
    const { sides, stop } = await open(start);
    const samples = await measure(sides);
    await stop();
    context.log(`start ${start + 1}: ${samples.map((side) => median(side).toFixed(1)).join(', ')} µs`);
    all.push(samples);
  }
  return all;
}

interface Opened {
  readonly sides: readonly Side[];
  readonly stop: () => Promise<unknown>;
}

async function openBoth(context: Context): Promise<Opened> {
  const open = async (unconfined: boolean): Promise<Isola> => {
    const isola = await startIsola(context, { unconfined, dataDir: context.folder(`data-${String(unconfined)}`) });
    await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
    return isola;
  };
  const both = [await open(false), await open(true)];
  return {
    sides: both.map((isola) => ({ target: isola.target('hello'), pids: isola.pids })),
    stop: () => Promise.all(both.map((isola) => isola.stop())),
  };
}

/** All behind one gateway, so that nothing but the cells differs. */
async function openLayers(context: Context, layers: readonly Variant[]): Promise<Opened> {
  // The first cell serves the accounts that have none of their own: nobody here. The others start with the first request.
  const isola = await startIsola(context, { cells: 1, layers: ['everything', ...layers] });
  const sides: Side[] = [];
  for (const [at] of layers.entries()) {
    const target = await isola.deployApart(`layer-${at}`, helloCode('Hello'));
    await runLoad({ targets: [target], connections: 1, seconds: 0.1 });
    sides.push({ target, pids: isola.pids });
  }
  return { sides, stop: () => isola.stop() };
}

async function measure(sides: readonly Side[]): Promise<number[][]> {
  using slices = await Slices.open({ servers: sides.map(({ target }) => [target]), connections: CONNECTIONS });
  for (const server of sides.keys()) await slices.measure({ server, ms: WARM_UP_MS }, []);
  const pids = sides.map((side) => side.pids());
  const samples = sides.map((): number[] => []);
  for (let slice = 0; slice < SLICES; slice++) {
    await untilQuiet();
    const order = [...sides.keys()];
    for (const server of slice % 2 === 0 ? order : order.toReversed()) {
      const [us = NaN] = await slices.measure({ server, ms: SLICE_MS }, [pids[server] ?? []]);
      samples[server]?.push(us);
    }
  }
  return samples;
}

/** The median over pairs of slices that were next to each other. */
function toRatio(samples: readonly (readonly number[])[], side: number, base: number): number {
  return median((samples[side] ?? []).map((us, slice) => us / (samples[base]?.[slice] ?? NaN)));
}
