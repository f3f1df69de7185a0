/** Exact arithmetic with fractions of integers: between the records and the one rounding nothing is lost. */

const DECIMAL = /^(\d{1,30})(?:\.(\d{1,30}))?$/;
const HALF = 2n;

export class Fraction {
  static readonly ZERO = new Fraction(0n);
  readonly numerator: bigint;
  /** Above 0. */
  readonly denominator: bigint;

  constructor(numerator: bigint, denominator = 1n) {
    if (denominator <= 0n) throw new RangeError(`Cannot divide by ${denominator}: must be above 0`);
    const common = greatestCommonDivisor(numerator < 0n ? -numerator : numerator, denominator);
    this.numerator = numerator / common;
    this.denominator = denominator / common;
  }

  /** `text` is digits, with a fraction behind a point or without: `0.00001667`. */
  static parse(text: string): Fraction {
    const [, whole, decimals = ''] = DECIMAL.exec(text) ?? [];
    if (whole === undefined) throw new RangeError(`Cannot read '${text}': must be a decimal number such as 0.02`);
    return new Fraction(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
  }

  static of(integer: number): Fraction {
    return new Fraction(BigInt(integer));
  }

  plus({ numerator, denominator }: Fraction): Fraction {
    return new Fraction(this.numerator * denominator + numerator * this.denominator, this.denominator * denominator);
  }

  minus({ numerator, denominator }: Fraction): Fraction {
    return this.plus(new Fraction(-numerator, denominator));
  }

  times({ numerator, denominator }: Fraction): Fraction {
    return new Fraction(this.numerator * numerator, this.denominator * denominator);
  }

  dividedBy(integer: bigint): Fraction {
    return new Fraction(this.numerator, this.denominator * integer);
  }

  /** Below 0, 0 or above it, as this is less than, equal to or more than the other. */
  compare(other: Fraction): number {
    const difference = this.minus(other).numerator;
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }

  /** The nearest integer; from the middle between two the even one. */
  round(): bigint {
    const { numerator, denominator } = this;
    const remainder = ((numerator % denominator) + denominator) % denominator;
    const floor = (numerator - remainder) / denominator;
    const doubled = remainder * HALF;
    if (doubled === denominator) return floor % HALF === 0n ? floor : floor + 1n;
    return doubled < denominator ? floor : floor + 1n;
  }

  /** In decimal, exactly. Throws where that has no end, which sums of times, MiB and decimal prices never do. */
  toDecimal(): string {
    let digits = 0n;
    while (10n ** digits % this.denominator !== 0n) {
      digits += 1n;
      if (digits > 60n) throw new RangeError(`Cannot write ${this.numerator}/${this.denominator} in decimal`);
    }
    const scaled = (this.numerator * 10n ** digits) / this.denominator;
    return placePoint(scaled, Number(digits));
  }
}

/** `value` divided by 10 to the power of `digits`, in decimal with that many digits. */
export function placePoint(value: bigint, digits: number): string {
  const sign = value < 0n ? '-' : '';
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
