/** Currencies: how many digits their smallest unit is below the one that prices are written in. */
import { Fraction, placePoint } from './fraction.ts';

const KNOWN = new Set(Intl.supportedValuesOf('currency'));

export function isCurrency(code: string): boolean {
  return KNOWN.has(code);
}

/** 2 for USD, whose smallest unit is a cent; 0 for JPY. */
export function minorDigits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** An amount in the currency as an integer of its smallest unit: this is where money is rounded, half to even. */
export function toMinor(amount: Fraction, currency: string): bigint {
  return amount.times(new Fraction(10n ** BigInt(minorDigits(currency)))).round();
}

/** `184n` in USD is `1.84`. */
export function toAmountText(minor: bigint, currency: string): string {
  return placePoint(minor, minorDigits(currency));
}
