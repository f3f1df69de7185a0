import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, SEED } from '../guest/testing/random.ts';
import type { VersionId } from '../ids.ts';
import { chooseVersion, toWeights } from './version-choice.ts';

const CLIENTS = 20_000;
const TOLERANCE = 1.5; // percent points: over four standard deviations at 20,000 clients

const clients = Array.from({ length: CLIENTS }, (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);

function toShares(percentages: Readonly<Record<string, number>>): { version: VersionId; percentage: number }[] {
  return Object.entries(percentages).map(([version, percentage]) => ({ version: version as VersionId, percentage }));
}

function choices(percentages: Readonly<Record<string, number>>): (VersionId | undefined)[] {
  const weights = toWeights(toShares(percentages));
  return clients.map((client) => chooseVersion(weights, client));
}

function uuid(random: Random): string {
  return Array.from({ length: 8 }, () => random.below(0x1_0000).toString(16).padStart(4, '0')).join('-');
}

describe('chooseVersion', () => {
  it('gives each version its share of the clients, of neighbouring addresses too', () => {
    const random = new Random(SEED);
    for (let run = 0; run < 8; run++) {
      const part = 1 + random.below(98);
      const percentages = { [uuid(random)]: part, [uuid(random)]: 100 - part };
      const counts = Map.groupBy(choices(percentages), (version) => version);
      for (const [version, percentage] of Object.entries(percentages)) {
        const actual = ((counts.get(version as VersionId)?.length ?? 0) / CLIENTS) * 100;
        assert.ok(Math.abs(actual - percentage) < TOLERANCE, `seed ${SEED}: ${actual} % instead of ${percentage} %`);
      }
    }
  });

  it('moves nobody out of a version whose share grows, in whatever order the shares are given', () => {
    const random = new Random(SEED);
    for (let run = 0; run < 8; run++) {
      const [grows, shrinks] = [uuid(random), uuid(random)];
      const before = 1 + random.below(50);
      const after = before + 1 + random.below(49);
      const first = choices({ [grows]: before, [shrinks]: 100 - before });
      const second = choices({ [shrinks]: 100 - after, [grows]: after });
      for (const [at, version] of first.entries()) {
        if (version === grows) assert.equal(second[at], grows, `seed ${SEED}`);
      }
    }
  });

  it('moves clients only to the newcomer when one is added', () => {
    const first = choices({ one: 50, two: 50 });
    const second = choices({ three: 50, two: 25, one: 25 });
    for (const [at, version] of second.entries()) if (version !== 'three') assert.equal(version, first[at]);
  });
});
