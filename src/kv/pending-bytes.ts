import type { AccountId } from '../ids.ts';

export interface PendingBytesOptions {
  /** Of all accounts together. */
  readonly maxBytes: number;
  readonly maxAccountBytes: number;
}

interface Waiting {
  readonly account: AccountId;
  readonly bytes: number;
  readonly start: () => void;
}

/** Memory for values on their way, taken in turns: of one account in order, and past those whose account has its share. */
export class PendingBytes {
  readonly #maxBytes: number;
  readonly #maxAccountBytes: number;
  readonly #taken = new Map<AccountId, number>();
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;

  constructor({ maxBytes, maxAccountBytes }: PendingBytesOptions) {
    this.#maxBytes = maxBytes;
    this.#maxAccountBytes = maxAccountBytes;
  }

  /**
   * Resolves when the bytes are the caller's; at once when there is room. What it resolves to gives them back, once.
   * `signal` gives up waiting; then it never resolves.
   */
  take(account: AccountId, bytes: number, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        account,
        bytes,
        start: () => {
          this.#add(account, bytes);
          let given = false;
          resolve(() => {
            if (given) return;
            given = true;
            this.#add(account, -bytes);
            this.#startNext();
          });
        },
      };
      this.#waiting.add(waiting);
      signal.addEventListener('abort', () => this.#waiting.delete(waiting), { once: true });
      this.#startNext();
    });
  }

  #startNext(): void {
    const passed = new Set<AccountId>();
    for (const waiting of this.#waiting) {
      const { account, bytes, start } = waiting;
      if (this.#bytes > 0 && this.#bytes + bytes > this.#maxBytes) return;
      const taken = this.#taken.get(account) ?? 0;
      // The first of an account always has its turn, so that none is too large to come.
      if (passed.has(account) || (taken > 0 && taken + bytes > this.#maxAccountBytes)) {
        passed.add(account);
        continue;
      }
      this.#waiting.delete(waiting);
      start();
    }
  }

  #add(account: AccountId, bytes: number): void {
    const taken = (this.#taken.get(account) ?? 0) + bytes;
    if (taken === 0) this.#taken.delete(account);
    else this.#taken.set(account, taken);
    this.#bytes += bytes;
  }
}
