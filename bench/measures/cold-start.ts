/** c: the first request of a Worker never seen before, against a later one to the same. */
import { createClient } from '../lib/client.ts';
import type { Context } from '../lib/context.ts';
import { atMost, row, type PeerName } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { atPace } from '../lib/time.ts';
import { startIsola } from '../peers/isola.ts';
import { startNodeHttp } from '../peers/node-http.ts';
import { helloCode, names, type Server } from '../peers/peer.ts';
import { startWorkerd } from '../peers/workerd.ts';
import type { Measure } from './measure.ts';

const WORKERS = 300;
const PROCESSES = 20;
const PER_SECOND = 20;

interface Times {
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

export const coldStart: Measure = {
  id: 'c',
  title: `Cold start: ${WORKERS} Workers never seen before, ${PER_SECOND} a second, first byte over HTTP`,
  timeoutMs: 120_000,
  run: async (context, rows) => {
    const workers = names('cold', context.quick ? 60 : WORKERS);
    const times = new Map<PeerName, Times>();
    if (context.peers.has('isola')) {
      const isola = await startIsola(context);
      await isola.deploy(workers.map((name) => ({ name, code: helloCode(name) })));
      await isola.deploy([{ name: 'warm', code: helloCode('warm') }]);
      times.set('isola', await measure(isola, workers));
      await isola.stop();
    }
    if (context.peers.has('workerd')) {
      const workerd = await startWorkerd(context, 'loader');
      times.set('workerd', await measure(workerd, workers));
      await workerd.stop();
    }
    const processes = context.peers.has('process per tenant') ? await spawnTimes(context) : undefined;

    const summary = (of: (times: Times) => number, ofProcesses: (times: readonly number[]) => number) => ({
      ...Object.fromEntries([...times].map(([name, of_]) => [name, of(of_)])),
      ...(processes === undefined ? {} : { 'process per tenant': ofProcesses(processes) }),
    });
    const overWarm = (share: number): Partial<Record<PeerName, number>> =>
      summary(
        ({ cold, warm }) => percentile(cold, share) - percentile(warm, 0.5),
        (spawned) => percentile(spawned, share),
      );
    const p50 = overWarm(0.5);
    const p99 = overWarm(0.99);
    rows.push(
      row('over a warm request, p50 (process: until it listens)', 'ms', p50, [atMost(1.5, 'ms', p50.isola)]),
      row('over a warm request, p99', 'ms', p99, [atMost(5, 'ms', p99.isola)]),
      row(
        'first request as a whole, p50',
        'ms',
        mapTimes(times, ({ cold }) => percentile(cold, 0.5)),
      ),
      row(
        'warm request, p50',
        'ms',
        mapTimes(times, ({ warm }) => percentile(warm, 0.5)),
      ),
    );
  },
};

async function measure(server: Server, workers: readonly string[]): Promise<Times> {
  const client = createClient();
  const cold: number[] = [];
  const warm: number[] = [];
  const call = async (name: string, times: number[]): Promise<void> => {
    const { port, host } = server.target(name);
    const { status, firstByteMs } = await client.get(port, host);
    if (status !== 200) throw new Error(`${host} answered ${status}`);
    times.push(firstByteMs);
  };
  for (let count = 0; count < 50; count += 1) await call('warm', []); // connections and the path itself
  await atPace(workers.length, PER_SECOND, (index) => call(workers[index] ?? '', cold));
  await atPace(workers.length, PER_SECOND * 5, (index) => call(workers[index] ?? '', warm));
  client.close();
  return { cold, warm };
}

async function spawnTimes(context: Context): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < PROCESSES; count += 1) {
    const start = performance.now();
    const server = await startNodeHttp(context);
    times.push(performance.now() - start);
    await server.stop();
  }
  return times;
}

function mapTimes(
  times: ReadonlyMap<PeerName, Times>,
  of: (times: Times) => number,
): Partial<Record<PeerName, number>> {
  return Object.fromEntries([...times].map(([name, samples]) => [name, of(samples)]));
}
