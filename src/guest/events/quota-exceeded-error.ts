/** `QuotaExceededError` (Web IDL, section 4.4): a DOMException that may say how much was asked for, of how much. */
import { defineInterface, DOMException, toDOMString } from '../core.ts';

type Options = { readonly quota?: unknown; readonly requested?: unknown } | null | undefined;

export class QuotaExceededError extends DOMException {
  readonly #quota: number | null;
  readonly #requested: number | null;

  constructor(message: unknown = '', options?: Options) {
    super(toDOMString(message), 'QuotaExceededError');
    this.#quota = toAmount(options?.quota, 'quota');
    this.#requested = toAmount(options?.requested, 'requested');
    if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota) {
      throw new RangeError(`requested (${this.#requested}) must not be less than quota (${this.#quota})`);
    }
  }

  get quota(): number | null {
    return this.#quota;
  }

  get requested(): number | null {
    return this.#requested;
  }
}
defineInterface(QuotaExceededError, 'QuotaExceededError', { constructor: 0 });

function toAmount(value: unknown, what: string): number | null {
  if (value === undefined) return null;
  const amount = (value as number) - 0;
  if (!(amount - amount === 0)) throw new TypeError(`${what} is not a finite number`);
  if (amount < 0) throw new RangeError(`${what} must not be negative`);
  return amount;
}
