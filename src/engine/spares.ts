/**
 * Spare isolates: the guest runtime is in them, no tenant yet. They hide the 5 ms it takes to make an isolate; the pool
 * is refilled one at a time, a little later, so that requests wait for one refill at most.
 */
import type { GuestIsolate } from './isolate.ts';

// Making an isolate keeps this thread for 5 ms: the Worker that took the spare has answered its first request by then.
const REFILL_AFTER_MS = 15;

export class Spares {
  readonly #size: number;
  readonly #create: () => GuestIsolate;
  readonly #random: () => number;
  readonly #ready: GuestIsolate[] = [];
  #refilling = false;
  #closed = false;

  /** `random`: from 0 to 1. */
  constructor(size: number, create: () => GuestIsolate, random: () => number = Math.random) {
    this.#size = size;
    this.#create = create;
    this.#random = random;
  }

  get count(): number {
    return this.#ready.length;
  }

  /** Fills the pool now. */
  fill(): void {
    while (this.#ready.length < this.#size) this.#ready.push(this.#create());
  }

  /**
   * A spare, or a new isolate when there is none. Which of them is left to chance: who starts two Workers one after the
   * other, or one after a victim's, does not get isolates that were made one after the other.
   */
  take(): GuestIsolate {
    const [guest = this.#create()] = this.#ready.splice(Math.floor(this.#random() * this.#ready.length), 1);
    this.#refillLater();
    return guest;
  }

  close(): void {
    this.#closed = true;
    for (const guest of this.#ready.splice(0)) guest.dispose();
  }

  #refillLater(): void {
    if (this.#refilling || this.#closed) return;
    this.#refilling = true;
    setTimeout(() => this.#refill(), REFILL_AFTER_MS).unref();
  }

  #refill(): void {
    this.#refilling = false;
    if (this.#closed || this.#ready.length >= this.#size) return;
    try {
      this.#ready.push(this.#create());
    } catch {
      return; // no memory or address space for one more: the next request that needs it says so
    }
    this.#refillLater();
  }
}
