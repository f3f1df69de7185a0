import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ENTER, HOST, HOST_SYNC } from './abi.ts';

describe('the ABI', () => {
  for (const [name, table] of Object.entries({ ENTER, HOST, HOST_SYNC })) {
    it(`${name} has a number of its own for each operation`, () => {
      const numbers = Object.values(table);
      assert.equal(new Set(numbers).size, numbers.length);
    });
  }
});
