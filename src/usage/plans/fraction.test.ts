import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Fraction, placePoint } from './fraction.ts';

describe('Fraction', () => {
  const cases: [string, bigint, bigint, bigint][] = [
    ['from the middle to the even one below', 5n, 2n, 2n],
    ['from the middle to the even one above', 7n, 2n, 4n],
    ['below the middle down', 249n, 100n, 2n],
    ['above the middle up', 251n, 100n, 3n],
    ['below zero from the middle to the even one', -5n, 2n, -2n],
    ['below zero to the nearest', -251n, 100n, -3n],
    ['an integer to itself', -4n, 1n, -4n],
  ];
  for (const [title, numerator, denominator, expected] of cases) {
    it(`round() goes ${title}`, () => assert.equal(new Fraction(numerator, denominator).round(), expected));
  }

  it('round() of halves has no bias: as many go up as down', () => {
    const halves = Array.from({ length: 1_000 }, (_, i) => new Fraction(BigInt(2 * i + 1), 2n));
    const exact = halves.reduce((sum, half) => sum.plus(half), Fraction.ZERO);
    assert.equal(
      halves.reduce((sum, half) => sum + half.round(), 0n),
      exact.round(),
    );
  });

  it('parse() and toDecimal() are inverse, but for zeros at the ends', () => {
    const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 0, max: 18 }));
    fc.assert(
      fc.property(decimal, ([value, digits]) => {
        const fraction = Fraction.parse(placePoint(value, digits));
        assert.equal(fraction.compare(new Fraction(value, 10n ** BigInt(digits))), 0);
        assert.equal(Fraction.parse(fraction.toDecimal()).compare(fraction), 0);
      }),
    );
  });

  it('toDecimal() writes the shortest text', () => {
    assert.equal(Fraction.parse('0.0500').toDecimal(), '0.05');
    assert.equal(Fraction.parse('20').toDecimal(), '20');
    assert.equal(new Fraction(1008n, 1024n).toDecimal(), '0.984375');
  });

  for (const text of ['', '-1', '1e3', '1.', '.5', '0x10', ' 1', '1,5', 'NaN']) {
    it(`parse() refuses '${text}'`, () => assert.throws(() => Fraction.parse(text), RangeError));
  }
});
