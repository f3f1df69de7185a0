import type { VersionId } from '../../src/ids.ts';
import { Meter } from '../../src/usage/index.ts';
import { toWireRow } from '../../src/usage/batch.ts';
import { makeRecord } from '../../src/usage/testing.ts';

const REQUESTS = 400_000;
const VERSIONS = 100;
const REQUESTS_PER_BATCH = 2_000; // what a busy cell serves in 0.4 s

/** CPU time of counting one invocation, with its share of a batch that is put into words, in µs. */
export function measureMeter(): number {
  const meter = new Meter();
  const records = Array.from({ length: VERSIONS }, (_, index) => makeRecord({ version: `v${index}` as VersionId }));
  const run = (): number => {
    const before = process.threadCpuUsage();
    let bytes = 0;
    for (let count = 1; count <= REQUESTS; count++) {
      meter.end(records[count % VERSIONS]!, undefined);
      if (count % REQUESTS_PER_BATCH === 0) bytes += JSON.stringify(meter.cut().map(toWireRow)).length;
    }
    const { user, system } = process.threadCpuUsage(before);
    return bytes === 0 ? 0 : (user + system) / REQUESTS;
  };
  run();
  return run();
}
