import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isLater, MAX_STREAM } from './codec.ts';
import { IdTable } from '../id-table.ts';

describe('IdTable', () => {
  it('answers like a Map, also when numbers collide and when it grows', () => {
    // Few numbers, all of one slot or in sequence: the worst that a peer can choose, and the usual.
    const id = fc.oneof(
      fc.nat(2_000).map((n) => n * 2),
      fc.nat(20).map((n) => n * 131_072),
    );
    const step = fc.tuple(fc.boolean(), id);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500 }), (steps) => {
        const table = new IdTable<{ id: number }>(1);
        const model = new Map<number, { id: number }>();
        for (const [add, number] of steps) {
          if (add && !model.has(number)) {
            const entry = { id: number };
            table.add(entry);
            model.set(number, entry);
          } else if (!add) {
            table.delete(number);
            model.delete(number);
          }
          assert.equal(table.get(number), model.get(number));
        }
        assert.equal(table.size, model.size);
        for (const entry of model.values()) assert.equal(table.get(entry.id), entry);
        assert.deepEqual(new Set(table.values()), new Set(model.values()));
      }),
      { numRuns: 40 },
    );
  });
});

describe('isLater', () => {
  it('goes by the shorter way round, so numbers may wrap', () => {
    assert.equal(isLater(3, 1), true);
    assert.equal(isLater(1, 3), false);
    assert.equal(isLater(5, 5), false);
    assert.equal(isLater(1, -1), true);
    assert.equal(isLater(1, MAX_STREAM), true);
    assert.equal(isLater(MAX_STREAM, 1), false);
  });
});
