import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toBill } from './bill.ts';
import { compareWith } from './compare.ts';
import { parsePlanBook } from './plan-book.ts';
import { alike, totalsOf } from './testing.ts';

const PRO = { kind: 'cpu', title: 'Pro', currency: 'EUR', perMillionRequests: '0.25', perMillionCpuMs: '0.015' };

describe('PlanBook', () => {
  it('of() is the shipped standard plan where no file says otherwise', () => {
    const { name, plan } = parsePlanBook().of('acme');
    assert.equal(name, 'standard');
    assert.equal(plan.currency, 'USD');
  });

  it('of() is what the file assigns, with the overrides of that account alone', () => {
    const book = bookOf({
      default: 'pro',
      plans: { pro: { ...PRO, minimum: '5.00', included: { requests: 1_000_000, cpuMs: 7 } } },
      accounts: {
        acme: { overrides: { perMillionRequests: '0.10', included: { cpuMs: 50 } } },
        other: { plan: 'standard' },
      },
    });
    const { plan } = book.of('acme');
    assert.equal(plan.perMillionRequests, '0.10');
    assert.deepEqual(plan.included, { requests: 1_000_000, cpuMs: 50, cpuMsPerRequest: 0 });
    assert.equal(plan.minimum, '5.00');
    assert.equal(book.of('else').plan.perMillionRequests, '0.25');
    assert.equal(book.of('other').name, 'standard');
  });

  const refused: [string, unknown, RegExp][] = [
    [
      'a price that is a number',
      { plans: { a: { ...PRO, perMillionRequests: 0.1 } } },
      /^plans\.a\.perMillionRequests/,
    ],
    ['a currency nobody knows', { plans: { a: { ...PRO, currency: 'XQQ' } } }, /^plans\.a\.currency: .*ISO 4217/],
    ['half a cent', { plans: { a: { ...PRO, minimum: '0.005' } } }, /^plans\.a\.minimum: .*smallest unit of EUR/],
    ['a cent of a yen', { plans: { a: { ...PRO, currency: 'JPY', minimum: '0.01' } } }, /smallest unit of JPY/],
    ['an unknown field', { plans: { a: { ...PRO, perMillion: '1' } } }, /^plans\.a: .*perMillion/],
    ['an unknown kind', { plans: { a: { ...PRO, kind: 'free' } } }, /^plans\.a\.kind/],
    ['a default that is not there', { default: 'pro' }, /^default: there is no plan 'pro'; there are standard,/],
    ['an account with a plan that is not there', { accounts: { a: { plan: 'x' } } }, /^accounts\.a\.plan/],
    ['a comparison with what is not there', { compare: ['x'] }, /^compare: there is no plan 'x'/],
    ['overrides that do not fit', { accounts: { a: { overrides: { memoryMiB: 1 } } } }, /^accounts\.a\.overrides/],
    ['rounding up to 10 ms', { plans: { a: { ...PRO, roundUpMs: 10 } } }, /^plans\.a/],
    ['a name with a slash', { plans: { 'a/b': PRO } }, /^plans\.a\/b/],
  ];
  for (const [title, file, expected] of refused) {
    it(`parsePlanBook() refuses ${title}`, () => {
      assert.throws(
        () => bookOf(file),
        (error: Error) => error instanceof RangeError && expected.test(error.message),
      );
    });
  }

  it('parsePlanBook() says what is not JSON', () => assert.throws(() => parsePlanBook('{'), /^RangeError: not JSON/));
});

describe('toBill()', () => {
  it('makes up for a minimum with a line of its own', () => {
    const { plan } = bookOf({ default: 'pro', plans: { pro: { ...PRO, minimum: '5.00' } } }).of('a');
    const { lines, total } = toBill(plan, alike(4_000_000, { cpuMs: 1 }));
    assert.deepEqual(
      lines.map(({ item, amount }) => [item, amount]),
      [
        ['requests', 100n],
        ['cpu_ms', 6n],
        ['minimum', 394n],
      ],
    );
    assert.equal(total, 500n);
  });

  it('charges what is above the included amounts', () => {
    const { plan } = bookOf({ default: 'p', plans: { p: { ...PRO, included: { requests: 1, cpuMs: 10 } } } }).of('a');
    const [requests, cpu] = toBill(plan, totalsOf({ requests: 4_000_001, cpuUs: 9_999 })).lines;
    assert.equal(requests?.amount, 100n);
    assert.deepEqual([cpu?.included.toDecimal(), cpu?.amount], ['9.999', 0n]);
  });

  it('bills the CPU time of cold starts only where the plan says so', () => {
    const usage = totalsOf({ startCpuUs: 1_000_000_000_000 });
    const file = { plans: { free: PRO, billed: { ...PRO, startCpu: 'billed' } } };
    assert.equal(toBill(bookOf({ ...file, default: 'free' }).of('a').plan, usage).total, 0n);
    assert.equal(toBill(bookOf({ ...file, default: 'billed' }).of('a').plan, usage).total, 1_500n);
  });
});

describe('compareWith()', () => {
  it('tells the computation of each', () => {
    const plans = parsePlanBook().compared;
    assert.deepEqual(
      compareWith(plans, alike(2_000_000, { cpuMs: 1, wallMs: 40 })).map(({ name, formula }) => `${name}: ${formula}`),
      [
        'lambda-128mb: 2000000 requests × 0.20 / 1000000 + 10000 GB-s (80000000 ms, each request rounded up to 1 ms, × 128 / 1024 GB) × 0.0000166667 = 0.40 + 0.17 = 0.57 USD',
        'lambda-2018-128mb: 2000000 requests × 0.20 / 1000000 + 25000 GB-s (200000000 ms, each request rounded up to 100 ms, × 128 / 1024 GB) × 0.00001667 = 0.40 + 0.42 = 0.82 USD',
      ],
    );
  });
});

function bookOf(file: unknown): ReturnType<typeof parsePlanBook> {
  return parsePlanBook(JSON.stringify(file));
}
