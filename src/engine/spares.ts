/**
 * Spare isolates: the guest runtime is in them, no tenant yet. They hide the 5 ms it takes to make an isolate; the pool
 * is refilled one at a time when the event loop has nothing else to do, so that requests wait for one refill at most.
 */
import type { GuestIsolate } from './isolate.ts';

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
    // A timer, not setImmediate: the Worker that took the spare answers first.
    setTimeout(() => this.#refill(), 1).unref();
  }

  #refill(): void {
    this.#refilling = false;
    if (this.#closed || this.#ready.length >= this.#size) return;
    this.#ready.push(this.#create());
    this.#refillLater();
  }
}
