import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildGuest } from './build-guest.ts';

const MAX_BYTES = 300 * 1024; // it is in each isolate

describe('The guest runtime', () => {
  it('is small, and ASCII: one character beyond Latin-1 would double what its source takes in each isolate', async () => {
    const { source, parts } = await buildGuest();
    assert.ok(source.length < MAX_BYTES, `${source.length} bytes`);
    for (const [name, text] of Object.entries({ core: source, ...parts })) {
      assert.match(text, /^[\t\n\r\x20-\x7e]*$/, name);
    }
  });
});
