/** h: from the control API's answer to a deploy until the new version answers, and what visitors notice of it. */
import { createClient, type Client } from '../lib/client.ts';
import { runLoad } from '../lib/load.ts';
import { atMost, row } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { startIsola, type Isola } from '../peers/isola.ts';
import { helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

const LOAD_CONNECTIONS = 16;
const LIVE_TIMEOUT_MS = 10_000;

interface Deploys {
  readonly callMs: readonly number[];
  readonly liveMs: readonly number[];
}

export const deployLive: Measure = {
  id: 'h',
  title: 'Deploy until live',
  timeoutMs: 120_000,
  run: async (context, rows) => {
    if (!context.peers.has('isola')) return;
    const isola = await startIsola(context);
    const client = createClient();
    const count = context.quick ? 6 : 20;
    await deployTimes(isola, client, 'first', 1);
    const calm = await deployTimes(isola, client, 'calm', count);
    const calmP99 = percentile(calm.liveMs, 0.99);
    rows.push(
      row('deploy call, p50', 'ms', { isola: percentile(calm.callMs, 0.5) }),
      row('live after the answer, p50', 'ms', { isola: percentile(calm.liveMs, 0.5) }),
      row('live after the answer, p99', 'ms', { isola: calmP99 }, [atMost(100, 'ms', calmP99)]),
    );

    const load = runLoad({
      targets: [isola.target('switch')],
      connections: LOAD_CONNECTIONS,
      seconds: context.quick ? 4 : 10,
    });
    load.catch(() => {}); // awaited below; must not be unhandled until then
    const busy = await deployTimes(isola, client, 'busy', count);
    const { failed, requests } = await load;
    const busyP99 = percentile(busy.liveMs, 0.99);
    rows.push(
      row(`under load of ${LOAD_CONNECTIONS} connections: live after the answer, p50`, 'ms', {
        isola: percentile(busy.liveMs, 0.5),
      }),
      row('under load: live after the answer, p99', 'ms', { isola: busyP99 }, [atMost(100, 'ms', busyP99)]),
      row(`under load: failed requests, of ${requests}`, '', { isola: failed }, [atMost(0, '', failed)]),
    );
    client.close();
    await isola.stop();
  },
};

async function deployTimes(isola: Isola, client: Client, label: string, count: number): Promise<Deploys> {
  const callMs: number[] = [];
  const liveMs: number[] = [];
  for (let version = 0; version < count; version += 1) {
    const text = `${label} ${version}`;
    const start = performance.now();
    await isola.deploy([{ name: 'switch', code: helloCode(text) }]);
    const answered = performance.now();
    callMs.push(answered - start);
    await untilLive(isola, client, text, answered);
    liveMs.push(performance.now() - answered);
  }
  return { callMs, liveMs };
}

async function untilLive(isola: Isola, client: Client, text: string, since: number): Promise<void> {
  const { port, host } = isola.target('switch');
  for (;;) {
    const { body } = await client.get(port, host);
    if (body === text) return;
    if (performance.now() - since > LIVE_TIMEOUT_MS)
      throw new Error(`Version '${text}' is not live after ${LIVE_TIMEOUT_MS} ms`);
  }
}
