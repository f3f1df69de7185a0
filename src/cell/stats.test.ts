import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostCallTimes } from './host-call-times.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';
import { StatsReporter } from './stats.ts';
import { STATS_LIMITS } from './stats-message.ts';

describe('StatsReporter', () => {
  it('tells of new instances once, of what they used since, and of those that are gone', () => {
    const instances = [toInstance('a'), toInstance('b')];
    using reporter = open(instances);
    const first = reporter.take();
    assert.deepEqual(
      first.made.map(([id, account, worker]) => [id, account, worker]),
      [
        [1, 'main', 'a'],
        [2, 'main', 'b'],
      ],
    );
    assert.equal(first.used.length, 2); // their memory
    instances[1]!.cpuUs += 150.4;
    instances[1]!.requests += 2;
    const [used, ...others] = reporter.take().used;
    assert.deepEqual([used?.[0], used?.[2], used?.[3], others], [2, 150, 2, []]);
    assert.deepEqual(reporter.take().used, []);
    instances[0]!.disposed = true;
    instances.shift();
    const { gone, made } = reporter.take();
    assert.deepEqual([gone, made], [[1], []]);
  });

  it('tells of thousands in turns, within its limits, and loses nothing that was used', () => {
    const instances = Array.from({ length: 2.5 * STATS_LIMITS.used }, (_, index) => toInstance(`w${index}`));
    using reporter = open(instances);
    for (const instance of instances) instance.requests = 3;
    const told = new Map<number, number>();
    for (let second = 0; second < 8; second++) {
      const { made, used } = reporter.take();
      assert.ok(made.length <= STATS_LIMITS.made && used.length <= STATS_LIMITS.used);
      for (const [id, , , requests] of used) told.set(id, (told.get(id) ?? 0) + requests);
      if (second < 4) for (const instance of instances) instance.requests += 1;
    }
    assert.equal(told.size, instances.length);
    assert.deepEqual(new Set(told.values()), new Set([7]));
  });
});

type FakeInstance = { -readonly [Key in keyof Instance]?: unknown } & {
  cpuUs: number;
  requests: number;
  disposed: boolean;
};

function toInstance(worker: string): FakeInstance {
  return {
    spec: { account: 'main', worker, id: 'v1' },
    madeAtMs: 0,
    cpuUs: 0,
    requests: 0,
    heapBytes: 1,
    heldBytes: 0,
    services: { heldBytes: 0 },
    disposed: false,
  };
}

function open(all: readonly FakeInstance[]) {
  const instances = { all: () => all, live: all.length, evicted: 0, takeEvictions: () => [] };
  const sources = { hostCalls: new HostCallTimes(), spares: () => 4, running: () => 0, coldStarts: () => 0 };
  const reporter = new StatsReporter({ instances: instances as unknown as Instances, ...sources }, () => {});
  return { take: () => reporter.take(), [Symbol.dispose]: () => reporter.close() };
}
