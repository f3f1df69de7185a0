import type { Sha256 } from '../../ids.ts';

/** What has been put since the oldest open hold began: none of it may be removed. */
export class BlobHolds {
  /** Each by the count of puts when it began. */
  readonly #open = new Set<{ readonly since: number }>();
  /** By the count of its last put; in this order. */
  readonly #put = new Map<Sha256, number>();
  #count = 0;

  open(): Disposable {
    const hold = { since: this.#count };
    this.#open.add(hold);
    return {
      [Symbol.dispose]: () => {
        this.#open.delete(hold);
        this.#forget();
      },
    };
  }

  /** To be called before a put looks whether the blob is there. */
  note(sha256: Sha256): void {
    if (this.#open.size === 0) return;
    this.#put.delete(sha256); // to the end
    this.#put.set(sha256, ++this.#count);
  }

  has(sha256: Sha256): boolean {
    return this.#put.has(sha256);
  }

  #forget(): void {
    const [oldest] = this.#open; // a set is in the order of its additions
    for (const [sha256, at] of this.#put) {
      if (oldest !== undefined && at > oldest.since) return;
      this.#put.delete(sha256);
    }
  }
}
