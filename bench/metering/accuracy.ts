/** How much of the CPU time that a Worker really uses is billed: both are taken in the same run, of the same requests. */
import { createCpuClock, currentThreadId } from '../../src/engine/cpu-clock.ts';
import type { InvocationRecord } from '../../src/index.ts';
import { createRuntime } from '../../src/index.ts';

export interface Accuracy {
  readonly requests: number;
  /**
   * CPU time of the thread that served the requests, by `process.threadCpuUsage`, without what the same requests cost when
   * it is not the Worker that computes. In µs.
   */
  readonly realUs: number;
  readonly billedUs: number;
  /** 0 is exact; 0.02: 2 % too much. */
  readonly error: number;
}

interface Round {
  readonly realUs: number;
  readonly billedUs: number;
}

const WARM_UP = 200; // the code is optimised then, and the Worker known to be short
const ROUND = 50; // requests of either kind take turns, since the speed of a core changes
const BURN_US = 2_500;
// Moves the Worker to the lane, whose thread is not the one that is measured, until 50 entries were shorter: the round is
// made anew. A collection of garbage may take so long, on a busy machine.
const MOVING_US = 5_000;
const FIRST_LOOPS = 100_000;
const WORKER = `
${String(burn)}
export default {
  fetch(request) {
    const seed = Number(request.headers.get('seed'));
    return new Response(String(burn(seed, Number(request.headers.get('loops')))));
  },
};`;
const threadClock = createCpuClock(currentThreadId());

/**
 * Of a Worker that burns about `BURN_US` in each of so many requests. What a request costs besides is known from others
 * in which this thread burns as much itself, as each ends: after so long, caches are as cold for what follows. (By
 * requests in which nobody computes, what is outside the Worker seems cheaper than it is, and its bill too low by some
 * per cent.)
 */
export async function measureAccuracy(requests: number): Promise<Accuracy> {
  let records: number[] = [];
  let loopsHere = 0;
  let burntHereUs = 0;
  let hasMoved = false;
  const onRecord = ({ cpuUs }: InvocationRecord): void => {
    records.push(cpuUs);
    if (cpuUs >= MOVING_US) hasMoved = true;
    if (loopsHere === 0) return;
    const before = threadClock();
    burn(records.length, loopsHere);
    burntHereUs += threadClock() - before;
  };
  await using runtime = await createRuntime({ onRecord });
  await runtime.deploy('burn', { modules: { 'index.js': WORKER } });
  const run = async (count: number, { inside = 0, here = 0 }: { inside?: number; here?: number }): Promise<Round> => {
    records = [];
    loopsHere = here;
    burntHereUs = 0;
    const before = threadCpuUs();
    for (let index = 0; index < count; index++) {
      const headers = { seed: String(index), loops: String(inside) };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const response = await runtime.fetch('burn', new Request('http://burn.example/', { headers }));
      if (!response.ok) throw new Error(`The Worker answered ${response.status}`);
      // oxlint-disable-next-line no-await-in-loop
      await response.text();
    }
    // oxlint-disable-next-line no-await-in-loop -- the last record may come after its answer
    while (records.length < count) await new Promise(setImmediate);
    const realUs = threadCpuUs() - before - burntHereUs;
    return { realUs, billedUs: records.reduce((sum, cpuUs) => sum + cpuUs, 0) };
  };
  await run(WARM_UP, { inside: FIRST_LOOPS / 10 });
  await run(WARM_UP, { here: FIRST_LOOPS / 10 });
  const calibration = await run(WARM_UP, { inside: FIRST_LOOPS });
  const loops = Math.round((FIRST_LOOPS * BURN_US * WARM_UP) / calibration.realUs);
  const sums = { realUs: 0, billedUs: 0 };
  hasMoved = false;
  for (let done = 0, rounds = 0; done < requests; rounds++) {
    if (rounds >= (2 * requests) / ROUND) throw new Error('The machine is too busy: every other round is no good');
    // oxlint-disable no-await-in-loop -- one after the other
    const besides = await run(ROUND, { here: loops });
    const burning = await run(ROUND, { inside: loops });
    if (hasMoved) {
      await run(2 * ROUND, {});
      hasMoved = false;
      continue;
    }
    // oxlint-enable no-await-in-loop
    done += ROUND;
    sums.realUs += burning.realUs - besides.realUs;
    sums.billedUs += burning.billedUs - besides.billedUs;
  }
  return { requests, ...sums, error: sums.billedUs / sums.realUs - 1 };
}

/** Computes, in the Worker and here. */
function burn(seed: number, loops: number): number {
  let x = seed;
  for (let i = loops; i > 0; i--) x = Math.sqrt(x + i);
  return x;
}

function threadCpuUs(): number {
  threadClock(); // has the kernel bring the thread's account up to date, which else lags behind by up to some ms
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
