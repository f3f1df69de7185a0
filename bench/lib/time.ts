/** Waiting, never forever. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Rejects when `work` takes longer than `ms`; the work itself is not stopped, its processes are (children.ts). */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = sleep(ms, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`${what} took longer than ${Math.round(ms / 1000)} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

/** Starts `run(0)`, `run(1)` … at a fixed pace, whether or not the ones before have ended. Settles when all have. */
export async function atPace(count: number, perSecond: number, run: (index: number) => Promise<void>): Promise<void> {
  const start = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = start + (index * 1000) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    running.push(run(index));
  }
  await Promise.all(running);
}

/** Runs `run` for each index, `lanes` at a time. */
export async function inLanes(count: number, lanes: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await run(index);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
