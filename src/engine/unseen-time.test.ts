import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, SEED } from '../guest/testing/random.ts';
import { estimateCpuUs } from './unseen-time.ts';

describe(`The CPU time of an entry that began unseen (ISOLA_FUZZ_SEED=${SEED})`, () => {
  it('is what was seen and the same share of what was not', () => {
    assert.equal(estimateCpuUs({ passedUs: 4_000, mostUs: 4_000, seenUs: 3_000, seenCpuUs: 1_500 }), 2_000);
  });

  it('is all that it can be when it was seen just before its end', () => {
    assert.equal(estimateCpuUs({ passedUs: 4_000, mostUs: 3_900, seenUs: 1, seenCpuUs: -2 }), 3_900);
  });

  it('is never below nothing, nor above what it can be', () => {
    const random = new Random(SEED);
    for (let round = 0; round < 10_000; round++) {
      const passedUs = 1_000 + random.below(100_000);
      const mostUs = random.below(passedUs + 1);
      // Clocks of two threads are not read at the same moment.
      const seenUs = random.below(passedUs + 50) - 25;
      const seenCpuUs = random.below(Math.max(seenUs, 0) + 60) - 30;
      const us = estimateCpuUs({ passedUs, mostUs, seenUs, seenCpuUs });
      assert.ok(us >= 0 && us <= mostUs, JSON.stringify({ passedUs, mostUs, seenUs, seenCpuUs, us }));
    }
  });
});
