/** g: what a quiet tenant notices of ten that use up their CPU limit with every request. */
import { createClient } from '../lib/client.ts';
import { atMost, row } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { atPace } from '../lib/time.ts';
import { startIsola, type Isola } from '../peers/isola.ts';
import { helloCode, names } from '../peers/peer.ts';
import { LOOP_CODE } from './cpu-limit.ts';
import type { Measure } from './measure.ts';

const NEIGHBOURS = 10;
const PER_SECOND = 100;
const GIVE_UP = 20; // unanswered requests: the node is gone, and asking on would only heat the machine

export const noisyNeighbours: Measure = {
  id: 'g',
  title: `A quiet tenant (${PER_SECOND} requests a second) beside ${NEIGHBOURS} that spin to their limit all the time`,
  timeoutMs: 90_000,
  run: async (context, rows) => {
    if (!context.peers.has('isola')) return;
    const isola = await startIsola(context);
    const neighbours = names('noisy', NEIGHBOURS);
    await isola.deploy([
      { name: 'quiet', code: helloCode('Hello') },
      ...neighbours.map((name) => ({ name, code: LOOP_CODE })),
    ]);
    const count = PER_SECOND * (context.quick ? 3 : 8);
    await callQuiet(isola, PER_SECOND);
    const alone = await callQuiet(isola, count);
    const noise = startNoise(isola, neighbours);
    const beside = await callQuiet(isola, count);
    const { loops, unanswered } = await noise.stop();

    const p99Alone = percentile(alone.times, 0.99);
    const p99Beside = percentile(beside.times, 0.99);
    const ratio = p99Beside / p99Alone;
    context.log(`isola: ${loops} loops stopped meanwhile, ${unanswered} without an answer`);
    rows.push(
      row('quiet tenant alone, p50', 'ms', { isola: percentile(alone.times, 0.5) }),
      row('quiet tenant alone, p99', 'ms', { isola: p99Alone }),
      row('beside noisy ones, p50', 'ms', { isola: percentile(beside.times, 0.5) }),
      row('beside noisy ones, p99', 'ms', { isola: p99Beside }, [{ text: '< 5 × alone', value: ratio, atMost: 5 }]),
      row('quiet requests that failed', '', { isola: alone.failed + beside.failed }, [
        atMost(0, '', alone.failed + beside.failed),
      ]),
      row('loops stopped meanwhile', '', { isola: loops }),
      // Without answers there was no noise, and the figures above say nothing.
      row('noisy requests without an answer', '', { isola: unanswered }, [atMost(0, '', unanswered)]),
    );
    await isola.stop();
  },
};

async function callQuiet(isola: Isola, count: number): Promise<{ times: number[]; failed: number }> {
  const client = createClient();
  const { port, host } = isola.target('quiet');
  const times: number[] = [];
  let failed = 0;
  await atPace(count, PER_SECOND, async () => {
    const answer = await client.get(port, host).catch(() => undefined);
    if (answer?.status === 200) times.push(answer.firstByteMs);
    else failed += 1;
  });
  client.close();
  return { times, failed };
}

function startNoise(
  isola: Isola,
  neighbours: readonly string[],
): { stop(): Promise<{ loops: number; unanswered: number }> } {
  const client = createClient();
  const over = new AbortController();
  let loops = 0;
  let unanswered = 0;
  const lanes = neighbours.map(async (name) => {
    const { port, host } = isola.target(name);
    while (!over.signal.aborted && unanswered < GIVE_UP) {
      const answered = await client.get(port, host).then(
        () => true,
        () => false,
      );
      if (answered) loops += 1;
      else unanswered += 1;
    }
  });
  return {
    stop: async () => {
      over.abort();
      await Promise.all(lanes);
      client.close();
      return { loops, unanswered };
    },
  };
}
