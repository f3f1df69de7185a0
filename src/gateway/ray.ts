import { randomBytes } from 'node:crypto';

const PREFIX_LENGTH = 8;
const COUNTER_LENGTH = 8; // 36^8 = 2.8e12: at 50,000 requests a second it lasts 1.8 years

/**
 * Names of requests: 16 characters of base 36, 8 random ones of this process and a counter. Unique, not secret: who has
 * seen one can guess its neighbours.
 */
export class RaySource {
  readonly #prefix: string;
  #high = '';
  #low = 0;
  #count = 0;

  constructor(random: (bytes: number) => Uint8Array = randomBytes) {
    const digits = [...random(PREFIX_LENGTH)].map((byte) => (byte % 36).toString(36));
    this.#prefix = digits.join('');
    this.#carry();
  }

  next(): string {
    if (this.#low === LOW_DIGITS.length) this.#carry();
    return this.#high + LOW_DIGITS[this.#low++];
  }

  #carry(): void {
    this.#high = this.#prefix + this.#count.toString(36).padStart(COUNTER_LENGTH - 2, '0');
    this.#count++;
    this.#low = 0;
  }
}

/** The last two digits from a table: a ray is then one concatenation. */
const LOW_DIGITS: readonly string[] = Array.from({ length: 36 * 36 }, (_, n) => n.toString(36).padStart(2, '0'));
