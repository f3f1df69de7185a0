/** Bills of random usage under random plans: they add up, and depend on nothing but the sum of the records. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { addTotals, createTotals, type UsageTotals } from '../totals.ts';
import { toBill } from './bill.ts';
import { minorDigits } from './currency.ts';
import { placePoint } from './fraction.ts';
import { type Plan, PlanSchema } from './plan.ts';
import { totalsOf } from './testing.ts';

const price = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 9n }), fc.integer({ min: 0, max: 12 }))
  .map(([value, digits]) => placePoint(value, digits));
const currency = fc.constantFrom('USD', 'EUR', 'JPY', 'KWD');
const count = fc.nat({ max: 2_000_000 });

const plan: fc.Arbitrary<Plan> = fc
  .record({
    cpu: fc.boolean(),
    currency,
    perMillionRequests: price,
    other: price,
    minimumMinor: fc.bigInt({ min: 0n, max: 100_000n }),
    requests: count,
    units: count,
    cpuMsPerRequest: fc.nat({ max: 3 }),
    startCpu: fc.constantFrom('free', 'billed'),
    roundUpMs: fc.constantFrom(1, 100),
    memoryMiB: fc.integer({ min: 1, max: 10_240 }),
  })
  .map(({ cpu, other, minimumMinor, requests, units, cpuMsPerRequest, startCpu, roundUpMs, memoryMiB, ...rest }) => {
    const common = { title: 'T', ...rest, minimum: placePoint(minimumMinor, minorDigits(rest.currency)) };
    return PlanSchema.parse(
      cpu
        ? {
            kind: 'cpu',
            ...common,
            perMillionCpuMs: other,
            startCpu,
            included: { requests, cpuMs: units, cpuMsPerRequest },
          }
        : {
            kind: 'duration',
            ...common,
            perGbSecond: other,
            memoryMiB,
            roundUpMs,
            included: { requests, gbSeconds: units },
          },
    );
  });

const record = fc.record({ cpuUs: fc.nat({ max: 9_000_000 }), wallUs: count, startCpuUs: count }).map((times) =>
  totalsOf({
    ...times,
    requests: 1,
    wallMs1: Math.ceil(times.wallUs / 1_000),
    wallMs100: Math.ceil(times.wallUs / 100_000) * 100,
  }),
);
const records = fc.array(record, { minLength: 1, maxLength: 60 });

describe('A bill', () => {
  it('has a total that is the sum of its lines, and at least the minimum', () => {
    fc.assert(
      fc.property(plan, records, (plan, records) => {
        const { lines, total } = toBill(plan, sum(records));
        assert.equal(
          lines.reduce((added, { amount }) => added + amount, 0n),
          total,
        );
        assert.ok(lines.every(({ amount }) => amount >= 0n));
        assert.ok(total >= toMinorText(plan.minimum, plan.currency));
      }),
    );
  });

  it('has in each line what the records say, exact but for half of the smallest unit', () => {
    fc.assert(
      fc.property(plan, records, (plan, records) => {
        for (const { item, amount } of toBill(plan, sum(records)).lines) {
          if (item === 'minimum') continue;
          const [numerator, denominator] = item === 'requests' ? requestCost(plan, records) : timeCost(plan, records);
          // |amount − exact| ≤ ½, without a division
          const difference = amount * denominator - numerator;
          const twice = 2n * (difference < 0n ? -difference : difference);
          assert.ok(twice <= denominator, `${item}: ${amount} for ${numerator}/${denominator}`);
          if (twice === denominator) assert.equal(amount % 2n, 0n, `${item}: the middle goes to the even one`);
        }
      }),
    );
  });

  it('is the same however the records are put in order and split into batches', () => {
    fc.assert(
      fc.property(plan, records, fc.array(fc.nat({ max: 7 }), { minLength: 60, maxLength: 60 }), (plan, all, where) => {
        const batches = Array.from({ length: 8 }, (_, batch) => sum(all.filter((_, i) => where[i] === batch)));
        assert.deepEqual(toBill(plan, sum(batches)), toBill(plan, sum(all)));
      }),
    );
  });

  it('never costs less for one more record', () => {
    fc.assert(
      fc.property(plan, records, record, (plan, records, one) => {
        // Included time with each request is the one thing of which a record brings more.
        if (plan.kind === 'cpu' && plan.included.cpuMsPerRequest > 0) return;
        assert.ok(toBill(plan, sum([...records, one])).total >= toBill(plan, sum(records)).total);
      }),
    );
  });
});

function sum(all: readonly UsageTotals[]): UsageTotals {
  const total = createTotals();
  for (const one of all) addTotals(total, one);
  return total;
}

/** What requests cost, in the smallest unit, as numerator and denominator: the same sums, made otherwise. */
function requestCost({ currency, perMillionRequests, included }: Plan, records: readonly UsageTotals[]): Cost {
  const charged = Math.max(0, records.length - included.requests);
  return cost(BigInt(charged), { price: perMillionRequests, per: 1_000_000n, currency });
}

function timeCost(plan: Plan, records: readonly UsageTotals[]): Cost {
  if (plan.kind === 'cpu') {
    let us = 0n;
    for (const { cpuUs, startCpuUs } of records) us += BigInt(cpuUs + (plan.startCpu === 'billed' ? startCpuUs : 0));
    us -= 1_000n * BigInt(plan.included.cpuMs + plan.included.cpuMsPerRequest * records.length);
    return cost(us < 0n ? 0n : us, { price: plan.perMillionCpuMs, per: 1_000_000_000n, currency: plan.currency });
  }
  let ms = 0n;
  for (const { wallUs } of records) {
    ms += BigInt(Math.ceil(wallUs / 1_000 / plan.roundUpMs) * plan.roundUpMs);
  }
  const mibMs = ms * BigInt(plan.memoryMiB) - 1_024_000n * BigInt(plan.included.gbSeconds);
  return cost(mibMs < 0n ? 0n : mibMs, { price: plan.perGbSecond, per: 1_024_000n, currency: plan.currency });
}

type Cost = readonly [numerator: bigint, denominator: bigint];

function cost(quantity: bigint, { price, per, currency }: { price: string; per: bigint; currency: string }): Cost {
  const [whole = '', decimals = ''] = price.split('.');
  const minor = 10n ** BigInt(minorDigits(currency));
  return [quantity * BigInt(whole + decimals) * minor, 10n ** BigInt(decimals.length) * per];
}

function toMinorText(amount: string, currency: string): bigint {
  return BigInt(amount.replace('.', '')) * 10n ** BigInt(minorDigits(currency) - (amount.split('.')[1]?.length ?? 0));
}
