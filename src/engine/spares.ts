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
  readonly #ready: GuestIsolate[] = [];
  #refilling = false;
  #closed = false;

  constructor(size: number, create: () => GuestIsolate) {
    this.#size = size;
    this.#create = create;
  }

  get count(): number {
    return this.#ready.length;
  }

  /** Fills the pool now. */
  fill(): void {
    while (this.#ready.length < this.#size) this.#ready.push(this.#create());
  }

  /** A spare, or a new isolate when there is none. */
  take(): GuestIsolate {
    const guest = this.#ready.pop() ?? this.#create();
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
