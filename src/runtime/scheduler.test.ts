import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime } from '../index.ts';

const WORKER = `
const tests = {
  async priorities() {
    const order = [];
    const post = (id, options) => scheduler.postTask(() => void order.push(id), options);
    const controller = new TaskController({ priority: 'background' });
    await Promise.all([
      post('background', { priority: 'background' }),
      post('raised', { signal: controller.signal }),
      post('visible'),
      post('blocking', { priority: 'user-blocking' }),
      controller.setPriority('user-blocking'),
    ]);
    return order;
  },
  async yields() {
    const order = [];
    const first = scheduler.postTask(async () => {
      order.push('a1');
      await scheduler.yield();
      order.push('a2');
    });
    await Promise.all([first, scheduler.postTask(() => order.push('b'))]);
    return order;
  },
  async aborts() {
    const reasons = [];
    const note = (reason) => reasons.push(reason);
    const controller = new AbortController();
    const { signal } = controller;
    const all = [
      scheduler.postTask(() => note('ran'), { signal }).catch(note),
      scheduler.postTask(() => note('ran'), { signal, delay: 60_000 }).catch(note),
      scheduler.wait(60_000, { signal }).catch(note),
    ];
    controller.abort('enough');
    await Promise.all(all);
    await scheduler.wait(1, { signal }).catch(note);
    return reasons;
  },
  async turns() {
    let task = false;
    const posted = scheduler.postTask(() => { task = true; });
    for (let i = 0; i < 100; i++) await undefined;
    const before = task;
    await posted;
    return [before, task];
  },
  async errors() {
    const messages = [];
    const note = (error) => messages.push(error.name);
    await scheduler.postTask().catch(note);
    await scheduler.postTask(() => {}, { priority: 'high' }).catch(note);
    await scheduler.postTask(() => {}, { delay: -1 }).catch(note);
    await scheduler.postTask(() => {}, { signal: {} }).catch(note);
    await scheduler.postTask(() => { throw new URIError(); }).catch(note);
    await scheduler.postTask.call({}, () => {}).catch(note);
    try { new Scheduler(); } catch (error) { note(error); }
    try { new TaskSignal(); } catch (error) { note(error); }
    try { new AbortController('key', {}).signal.throwIfAborted(); note({ name: 'fine' }); } catch (error) { note(error); }
    return messages;
  },
  async many() {
    const posted = [];
    for (let i = 0; i < 2_000; i++) posted.push(scheduler.postTask(() => {}).catch((error) => error.message));
    return [...new Set(await Promise.race([Promise.all(posted.slice(-1)), scheduler.wait(5_000)]))];
  },
  async left() {
    for (let i = 0; i < 900; i++) void scheduler.postTask(() => {});
    return 'left';
  },
};
export default {
  async fetch(request) {
    return Response.json(await tests[new URL(request.url).pathname.slice(1)]());
  },
};`;

describe('scheduler', () => {
  let runtime: Runtime;
  const run = async (name: string): Promise<unknown> =>
    (await runtime.fetch('worker', new Request(`http://worker.example/${name}`))).json();
  before(async () => {
    runtime = await createRuntime({});
    await runtime.deploy('worker', { modules: { 'index.js': WORKER } });
  });
  after(() => runtime.close());

  it('runs tasks by their priority, which a controller may change', async () => {
    assert.deepEqual(await run('priorities'), ['raised', 'blocking', 'visible', 'background']);
  });
  it('yield() continues before other tasks of the same priority', async () => {
    assert.deepEqual(await run('yields'), ['a1', 'a2', 'b']);
  });
  it('postTask() and wait() are aborted by a signal, with its reason', async () => {
    assert.deepEqual(await run('aborts'), ['enough', 'enough', 'enough', 'enough']);
  });
  it('a task runs in a turn of its own, not in a microtask', async () => {
    assert.deepEqual(await run('turns'), [false, true]);
  });
  it('rejects what is no task, and with what a task throws', async () => {
    const expected = ['TypeError', 'TypeError', 'TypeError', 'TypeError', 'URIError', 'TypeError', 'TypeError'];
    assert.deepEqual(await run('errors'), [...expected, 'TypeError', 'fine']);
  });
  it('lets only so many tasks wait, and forgets those of an invocation that is over', async () => {
    for (let i = 0; i < 3; i++) assert.equal(await run('left'), 'left');
    assert.deepEqual(await run('many'), ['Cannot post a task: 1000 are waiting, the limit is 1000']);
  });
});
