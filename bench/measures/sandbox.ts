/** sandbox: what confinement costs: the platform beside itself with cells that are ordinary processes. */
import { runLoad } from '../lib/load.ts';
import { cpuUs } from '../lib/proc.ts';
import { row } from '../lib/report.ts';
import { median } from '../lib/stats.ts';
import { startIsola } from '../peers/isola.ts';
import { helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';
import type { Side } from './rounds.ts';

const CONNECTIONS = 64;
const PAIRS = 12; // one after the other in either order, so that a noisy moment of the machine hits both
const PAIRS_QUICK = 3;
const SECONDS = 1;
const MOST_RATIO = 1.02;

export const sandbox: Measure = {
  id: 'sandbox',
  title: `One hello Worker in a confined cell and in an ordinary process, ${CONNECTIONS} connections`,
  timeoutMs: 120_000,
  run: async (context, rows) => {
    const start = async (unconfined: boolean): Promise<Side> => {
      const isola = await startIsola(context, { unconfined, dataDir: context.folder(`data-${String(unconfined)}`) });
      await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
      return { pids: isola.pids, targets: [isola.target('hello')] };
    };
    const confined = await start(false);
    const plain = await start(true);
    const samples = { isola: [] as number[], unconfined: [] as number[] };
    for (const side of [confined, plain]) await toCpuUs(side);
    for (let pair = 0; pair < (context.quick ? PAIRS_QUICK : PAIRS); pair++) {
      const isFirst = pair % 2 === 0;
      const first = await toCpuUs(isFirst ? confined : plain);
      const second = await toCpuUs(isFirst ? plain : confined);
      samples.isola.push(isFirst ? first : second);
      samples.unconfined.push(isFirst ? second : first);
    }
    const ratios = samples.isola.map((own, at) => own / (samples.unconfined[at] ?? Number.NaN));
    const values = { isola: median(samples.isola), unconfined: median(samples.unconfined) };
    const value = median(ratios);
    const goals = [{ text: `ratio, median of pairs ≤ ${MOST_RATIO}`, value, atMost: MOST_RATIO }];
    rows.push(row('CPU per request, median', 'µs', values, goals));
    const best = { isola: Math.min(...samples.isola), unconfined: Math.min(...samples.unconfined) };
    rows.push(row('CPU per request, best', 'µs', best));
  },
};

async function toCpuUs(side: Side): Promise<number> {
  const before = cpuUs(side.pids());
  const result = await runLoad({ targets: side.targets, connections: CONNECTIONS, seconds: SECONDS });
  if (result.requests === 0 || result.failed > 0)
    throw new Error(`${result.failed} of ${result.requests} requests failed`);
  return (cpuUs(side.pids()) - before) / result.requests;
}
