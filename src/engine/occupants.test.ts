import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { Occupants } from './occupants.ts';

describe('Occupants', () => {
  it('tells who is in a slot, also from another thread, and whoever came last', () => {
    const here = new Occupants();
    const there = new Occupants(here.shared);
    const ids = Array.from({ length: 50 }, () => randomUUID());
    for (const [slot, id] of ids.entries()) here.set(slot, id);
    assert.deepEqual(
      ids.map((_, slot) => there.get(slot)),
      ids,
    );
    here.set(3, ids[0]!);
    assert.equal(there.get(3), ids[0]);
  });

  it('knows nobody in other slots, nor by other names than UUIDs', () => {
    const occupants = new Occupants();
    occupants.set(0, randomUUID());
    occupants.set(0, 'a version');
    occupants.set(1e9, randomUUID());
    for (const slot of [0, 1, -1, 16_384, 1e9]) assert.equal(occupants.get(slot), undefined);
  });
});
