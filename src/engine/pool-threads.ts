/** isolated-vm's thread pool: how many threads it has, and which they are. */
import { availableParallelism } from 'node:os';
import ivm from 'isolated-vm';
import { listThreadIds, setThreadNice } from './cpu-clock.ts';

/** The pool has one thread per core and one more (isolated-vm's scheduler.cc); the warden occupies one of them. */
export const LANES = availableParallelism();
const LANE_NICE = 5; // long-running tenants give way to the thread that serves all the others

/**
 * Makes isolated-vm start its remaining pool threads and finds their ids, which the watchdog needs to read their clocks.
 * The warden must be at its post by now. They are those that are new while as many isolates as threads block on the pool at once.
 */
export async function startLaneThreads(): Promise<number[]> {
  const before = new Set(listThreadIds());
  const gate = new Int32Array(new SharedArrayBuffer(8)); // [arrived, open]
  const isolates = Array.from({ length: LANES }, () => new ivm.Isolate({ memoryLimit: 8 }));
  const blocked = isolates.map(async (isolate) => {
    const context = await isolate.createContext();
    await context.global.set('shared', new ivm.ExternalCopy(gate.buffer).copyInto());
    await context.eval(
      'const gate = new Int32Array(shared); Atomics.add(gate, 0, 1); Atomics.notify(gate, 0); Atomics.wait(gate, 1, 0);',
    );
  });
  for (let arrived = 0; arrived < LANES; arrived = Atomics.load(gate, 0)) {
    const wait = Atomics.waitAsync(gate, 0, arrived);
    if (wait.async) await wait.value;
  }
  const found = listThreadIds().filter((id) => !before.has(id));
  Atomics.store(gate, 1, 1);
  Atomics.notify(gate, 1);
  await Promise.all(blocked);
  for (const isolate of isolates) isolate.dispose();
  for (const id of found) setThreadNice(id, LANE_NICE);
  return found;
}
