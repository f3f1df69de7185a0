import assert from 'node:assert/strict';
import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { crypto, Crypto, setRandomSource } from './crypto.ts';

describe('crypto', () => {
  it('has no random values before its source is set', () => {
    assert.throws(() => crypto.randomUUID(), { name: 'InvalidStateError' });
  });

  it('draws UUIDs from a pool, each its own', () => {
    let calls = 0;
    setRandomSource((count) => {
      calls++;
      return Uint8Array.from(nodeRandomBytes(count)).buffer;
    });
    const uuids = new Set(Array.from({ length: 256 }, () => crypto.randomUUID()));
    assert.equal(uuids.size, 256);
    assert.equal(calls, 1);
    for (const uuid of uuids) assert.match(uuid, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });

  it('fills integer arrays of up to 65,536 bytes', () => {
    const view = new Uint32Array(new ArrayBuffer(16), 4, 2);
    assert.equal(crypto.getRandomValues(view), view);
    assert.deepEqual([...new Uint8Array(view.buffer, 0, 4)], [0, 0, 0, 0]);
    assert.ok(view.some((word) => word !== 0));
    crypto.getRandomValues(new Uint8Array(65_536));
    assert.throws(() => crypto.getRandomValues(new Float64Array(1)), { name: 'TypeMismatchError' });
  });

  it('is the only one', () => {
    assert.throws(() => new Crypto(), TypeError);
  });
});
