import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JobLane } from './job-lanes.ts';

/** Jobs that note when they start, and end when told to. */
function createJobs() {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => () => {
    started.push(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    return promise;
  };
  return { started, job, end: (name: string) => ends.get(name)!() };
}

const asker = () => ({ finished: false, cpuUs: 0 });

describe('JobLane', () => {
  it('gives owners turns, whatever each has waiting', async () => {
    const lane = new JobLane({ places: 1, placesEach: 1 });
    const { started, job, end } = createJobs();
    const [many, few] = [{}, {}];
    const runs = ['a1', 'a2', 'a3'].map((name) => lane.run(many, asker(), job(name)));
    runs.push(lane.run(few, asker(), job('b1')));
    for (const name of ['a1', 'a2', 'b1', 'a3']) {
      assert.equal(started.at(-1), name);
      end(name);
      await runs[['a1', 'a2', 'a3', 'b1'].indexOf(name)];
      await Promise.resolve(); // the place is given on
    }
    assert.deepEqual(started, ['a1', 'a2', 'b1', 'a3']);
  });

  it('lets no owner have more than its places', async () => {
    const lane = new JobLane({ places: 2, placesEach: 1 });
    const { started, job, end } = createJobs();
    const [first, second] = [{}, {}];
    const run = lane.run(first, asker(), job('a1'));
    void lane.run(first, asker(), job('a2'));
    assert.deepEqual(started, ['a1']);
    void lane.run(second, asker(), job('b1'));
    assert.deepEqual(started, ['a1', 'b1']);
    end('a1');
    await run;
    await Promise.resolve();
    assert.deepEqual(started, ['a1', 'b1', 'a2']);
  });

  it('never starts what nobody waits for any more', async () => {
    const lane = new JobLane({ places: 1, placesEach: 1 });
    const { started, job, end } = createJobs();
    const [owner, gone] = [{}, {}];
    const run = lane.run(owner, asker(), job('a1'));
    const over = asker();
    const unwanted = lane.run(owner, over, job('a2'));
    const dropped = lane.run(gone, asker(), job('b1'));
    lane.drop(gone);
    over.finished = true;
    await assert.rejects(dropped, { name: 'AbortError' });
    end('a1');
    await run;
    await assert.rejects(unwanted, { name: 'AbortError' });
    assert.deepEqual(started, ['a1']);
  });

  it('goes on after a job that failed', async () => {
    const lane = new JobLane({ places: 1, placesEach: 1 });
    const failed = lane.run({}, asker(), () => Promise.reject(new Error('no')));
    const next = lane.run({}, asker(), () => Promise.resolve('yes'));
    await assert.rejects(failed, { message: 'no' });
    assert.equal(await next, 'yes');
  });
});
