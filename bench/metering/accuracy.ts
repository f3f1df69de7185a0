/** How much of the CPU time that a Worker really uses is billed: both are taken in the same run, of the same requests. */
import type { InvocationRecord } from '../../src/index.ts';
import { createRuntime } from '../../src/index.ts';

export interface Accuracy {
  readonly requests: number;
  /**
   * CPU time of the thread that served the requests, by `process.threadCpuUsage`, without what the same requests cost when
   * they compute nothing. In µs.
   */
  readonly realUs: number;
  readonly billedUs: number;
  /** 0 is exact; 0.02: 2 % too much. */
  readonly error: number;
}

const WARM_UP = 200; // the code is optimised then, and the Worker known to be short
// Requests that burn take turns with those that do not, since the speed of a core changes. Many at a time: what
// `threadCpuUsage` says of a running thread lags behind by up to some ms.
const ROUND = 50;
const BURN_US = 4_000; // below what would move the Worker to another thread than the one whose clock is read
const FIRST_LOOPS = 100_000;
const WORKER = `
export default {
  fetch(request) {
    let x = Number(request.headers.get('seed'));
    for (let i = Number(request.headers.get('loops')); i > 0; i--) x = Math.sqrt(x + i);
    return new Response(String(x));
  },
};`;

/** Of a Worker that burns about `BURN_US` in each of so many requests. */
export async function measureAccuracy(requests: number): Promise<Accuracy> {
  let records: number[] = [];
  const onRecord = ({ cpuUs }: InvocationRecord): void => void records.push(cpuUs);
  await using runtime = await createRuntime({ onRecord });
  await runtime.deploy('burn', { modules: { 'index.js': WORKER } });
  const run = async (count: number, loops: number): Promise<{ realUs: number; billedUs: number }> => {
    records = [];
    const before = process.threadCpuUsage();
    for (let index = 0; index < count; index++) {
      const headers = { seed: String(index), loops: String(loops) };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const response = await runtime.fetch('burn', new Request('http://burn.example/', { headers }));
      if (!response.ok) throw new Error(`The Worker answered ${response.status}`);
      // oxlint-disable-next-line no-await-in-loop
      await response.text();
    }
    // oxlint-disable-next-line no-await-in-loop -- the last record may come after its answer
    while (records.length < count) await new Promise(setImmediate);
    const { user, system } = process.threadCpuUsage(before);
    return { realUs: user + system, billedUs: records.reduce((sum, cpuUs) => sum + cpuUs, 0) };
  };
  await run(WARM_UP, FIRST_LOOPS / 10);
  const calibration = await run(WARM_UP, FIRST_LOOPS);
  const loops = Math.round((FIRST_LOOPS * BURN_US * WARM_UP) / calibration.realUs);
  const sums = { realUs: 0, billedUs: 0 };
  for (let done = 0; done < requests; done += ROUND) {
    // oxlint-disable no-await-in-loop -- one after the other
    const idle = await run(ROUND, 0);
    const burning = await run(ROUND, loops);
    // oxlint-enable no-await-in-loop
    sums.realUs += burning.realUs - idle.realUs;
    sums.billedUs += burning.billedUs - idle.billedUs;
  }
  return { requests, ...sums, error: sums.billedUs / sums.realUs - 1 };
}
