import { PlatformError } from '../errors.ts';
import type { TokenOwner } from '../store/index.ts';

export interface BodyLimits {
  /** Bytes. */
  readonly ofAccount: number;
  readonly ofAll: number;
}

/**
 * Bodies of requests are held in memory until they are answered. Of one there is a limit; this is the one of all that an
 * account, or all accounts together, have under way. Whoever passes it is refused, and loses what he had sent.
 *
 * The operator is not counted: he could fill the memory in other ways, and must get through when others do.
 */
export class BodyBudget {
  readonly #limits: BodyLimits;
  readonly #held = new Map<TokenOwner, number>();
  #total = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** For one request. */
  open(account: TokenOwner): BodyHold {
    return new BodyHold((bytes) => this.#change(account, bytes));
  }

  get total(): number {
    return this.#total;
  }

  #change(account: TokenOwner, bytes: number): void {
    if (account === '*') return;
    const { ofAccount, ofAll } = this.#limits;
    const held = (this.#held.get(account) ?? 0) + bytes;
    if (bytes > 0 && held > ofAccount) {
      throw new PlatformError(
        'rateLimited',
        `Too many requests: account '${account}' has bodies of more than ${ofAccount} bytes under way. Try again in a second`,
      );
    }
    if (bytes > 0 && this.#total + bytes > ofAll) {
      throw new PlatformError('overloaded', 'Too many large requests are under way. Try again in a second');
    }
    this.#total += bytes;
    if (held === 0) this.#held.delete(account);
    else this.#held.set(account, held);
  }
}

/** What one request holds. */
export class BodyHold implements Disposable {
  readonly #change: (bytes: number) => void;
  #bytes = 0;
  #isOver = false;

  constructor(change: (bytes: number) => void) {
    this.#change = change;
  }

  /** Throws `rateLimited` or `overloaded`. */
  add(bytes: number): void {
    if (this.#isOver) return; // what is read to be dropped
    this.#change(bytes);
    this.#bytes += bytes;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#change(-this.#bytes);
    this.#bytes = 0;
  }
}
