const HOLD_MS = 5_000; // a crashed cell is back within one second; five cover a busy machine
const MAX_HELD = 10_000; // further ones are turned away at once

export interface Waiting {
  /** A cell is live: go on. */
  resume(): void;
  /** None came in time. */
  giveUp(): void;
}

/** Holds requests while no cell is live, so that clients do not notice a respawn. One timer for all. */
export class WaitingRoom<Item extends Waiting> {
  readonly #held = new Map<Item, number>();
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Returns false when the room is full. */
  hold(item: Item): boolean {
    if (this.#held.size >= MAX_HELD) return false;
    this.#held.set(item, this.#now() + HOLD_MS);
    this.#timer ??= setTimeout(this.#onTimer, HOLD_MS);
    return true;
  }

  leave(item: Item): void {
    this.#held.delete(item);
  }

  /** Lets everybody go on, in the order of arrival. */
  open(): void {
    const items = [...this.#held.keys()];
    this.#held.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const item of items) item.resume();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const now = this.#now();
    for (const [item, deadline] of this.#held) {
      if (deadline > now) {
        // All wait equally long, so those that follow are later still.
        this.#timer = setTimeout(this.#onTimer, Math.max(1, deadline - now));
        return;
      }
      this.#held.delete(item);
      item.giveUp();
    }
  };
}
