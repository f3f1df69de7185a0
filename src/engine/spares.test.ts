import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuestIsolate } from './isolate.ts';
import { Spares } from './spares.ts';

function setUp(draws: readonly number[]) {
  const left = [...draws];
  let made = 0;
  const create = () => ({ slot: made++, dispose: () => {} }) as unknown as GuestIsolate;
  return new Spares(4, create, () => left.shift() ?? 0);
}

describe('Spares.take()', () => {
  it('takes any of the spares, by chance', () => {
    const spares = setUp([0.5, 0.99, 0]);
    spares.fill();
    assert.deepEqual(
      [1, 2, 3].map(() => spares.take().slot),
      [2, 3, 0],
    );
    assert.equal(spares.count, 1);
    spares.close();
  });

  it('makes one when there is none', () => {
    const spares = setUp([]);
    assert.equal(spares.take().slot, 0);
    spares.close();
  });
});
