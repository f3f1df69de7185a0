import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ENTER } from '../abi.ts';
import { createGuest, type TestGuest } from '../testing/guest.ts';

describe('performance', () => {
  let guest: TestGuest | undefined;
  after(() => guest?.dispose());
  const evaluate = async (expression: string): Promise<unknown> => {
    guest ??= await createGuest('export default { fetch() { return new Promise(() => {}) } }');
    return JSON.parse(guest.evaluate(`JSON.stringify(${expression})`));
  };

  it('measures between marks, by the clock of the entry', async () => {
    await evaluate(`performance.mark('a', { detail: { n: 1 } })`);
    guest?.enter(ENTER.fetch, 1, 'GET\nhttp://a.example/', undefined, 0, 3000);
    assert.deepEqual(await evaluate(`performance.measure('m', 'a')`), {
      name: 'm',
      entryType: 'measure',
      startTime: 0,
      duration: 2000,
      detail: null,
    });
    assert.deepEqual(await evaluate(`performance.getEntriesByName('a').map((entry) => entry.detail.n)`), [1]);
    assert.deepEqual(await evaluate(`(performance.clearMarks(), performance.getEntries().map(({ name }) => name))`), [
      'm',
    ]);
    assert.deepEqual(await evaluate(`[performance.timeOrigin, performance.now()]`), [1000, 2000]);
  });

  it('keeps a bounded number of entries', async () => {
    assert.equal(
      await evaluate(`(() => {
        for (let i = 0; i < 10_050; i++) performance.mark('x');
        return performance.getEntriesByType('mark').length;
      })()`),
      9_999, // beside the measure of before
    );
  });

  it('is one object of its interface', async () => {
    assert.throws(() => guest?.evaluate('new Performance()'), TypeError);
    assert.throws(() => guest?.evaluate('Performance.prototype.now.call({})'), TypeError);
    assert.equal(await evaluate('performance instanceof EventTarget'), true);
  });
});
