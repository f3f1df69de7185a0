import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkerSeries } from './worker-series.ts';

describe('WorkerSeries', () => {
  it('gives places to so many, and one to all others together', () => {
    const series = open(2);
    count(series, 'a', 1);
    count(series, 'b', 1);
    count(series, 'c', 5);
    count(series, 'd', 2);
    assert.deepEqual(sums(series), { a: 1, b: 1, other: 7 });
  });

  it('gives a place to who was twice as busy lately, and no counter goes back or jumps', () => {
    const series = open(2);
    count(series, 'a', 10);
    count(series, 'b', 2);
    count(series, 'c', 4);
    count(series, 'd', 100);
    series.rerank();
    assert.deepEqual(sums(series), { a: 10, d: 0, other: 104 });
    count(series, 'd', 7);
    count(series, 'b', 1);
    assert.deepEqual(sums(series), { a: 10, d: 7, other: 105 });
    for (let round = 0; round < 10; round++) series.rerank();
    assert.deepEqual(sums(series), { a: 10, d: 7, other: 105 });
  });

  it('names nothing of a deleted account, and two accounts apart', () => {
    const series = open(4);
    series.of({ account: 'one', worker: 'a' }, 1).count++;
    series.of({ account: 'two', worker: 'a' }, 1).count++;
    assert.equal([...series.all()].length, 3);
    series.deleteAccount('one');
    assert.deepEqual(
      [...series.all()].map(([{ account }]) => account),
      ['two', ''],
    );
  });
});

function open(max: number) {
  return new WorkerSeries(max, () => ({ count: 0 }));
}

function count(series: ReturnType<typeof open>, worker: string, times: number): void {
  series.of({ account: 'main', worker }, times).count += times;
}

function sums(series: ReturnType<typeof open>): Record<string, number> {
  return Object.fromEntries([...series.all()].map(([{ worker }, sum]) => [worker, sum.count]));
}
