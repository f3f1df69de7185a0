import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClockCache } from './clock-cache.ts';

describe('ClockCache', () => {
  it('gives up what was not asked for', () => {
    const cache = new ClockCache<string, number>(30);
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const) {
      assert.equal(cache.add(key, value, 10), true);
    }
    assert.equal(cache.get('a'), 1);
    assert.equal(cache.add('d', 4, 10), true);
    assert.equal(cache.get('b'), undefined);
    assert.equal(cache.get('a'), 1);
    assert.equal(cache.bytes, 30);
  });

  it('takes nothing larger than itself, and nothing for which what is held would have to go', () => {
    const cache = new ClockCache<string, number>(30);
    assert.equal(cache.add('large', 1, 31), false);
    cache.add('a', 1, 20);
    const release = cache.hold('a');
    assert.equal(cache.add('b', 2, 20), false);
    assert.equal(cache.add('c', 3, 10), true);
    release();
    assert.equal(cache.add('b', 2, 20), true);
    assert.equal(cache.get('a'), undefined);
    assert.ok(cache.bytes <= 30);
  });
});
