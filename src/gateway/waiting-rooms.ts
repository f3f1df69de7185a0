import type { WorkerRoute } from './routes.ts';
import { type Waiting, WaitingRoom } from './waiting-room.ts';

interface Placed extends Waiting {
  readonly route: WorkerRoute | undefined;
}

/** A waiting room for each cordon that has no live cell: however many wait for one, those of others find room. */
export class WaitingRooms<Item extends Placed> {
  readonly #rooms = new Map<string, WaitingRoom<Item>>();
  /** Requests wait for a cell of this cordon; once for all that come until there is one. */
  readonly #onWanted: (cordon: string) => void;

  constructor(onWanted: (cordon: string) => void) {
    this.#onWanted = onWanted;
  }

  get size(): number {
    let size = 0;
    for (const room of this.#rooms.values()) size += room.size;
    return size;
  }

  /** Returns false when the room is full. */
  hold(item: Item, cordon: string): boolean {
    let room = this.#rooms.get(cordon);
    if (room === undefined) {
      room = new WaitingRoom();
      this.#rooms.set(cordon, room);
    }
    if (room.size === 0) this.#onWanted(cordon);
    return room.hold(item);
  }

  leave(item: Item): void {
    // It may have been held before its Worker went to another cordon.
    for (const [cordon, room] of this.#rooms) {
      room.leave(item);
      if (room.size === 0) this.#rooms.delete(cordon);
    }
  }

  /** Lets those go on whose cordon has a live cell now. */
  open(isLive: (cordon: string) => boolean): void {
    // Those of now: who goes on and finds no cell still is back in a room before the next one is looked at.
    const rooms = [...this.#rooms];
    for (const [cordon, room] of rooms) {
      if (!isLive(cordon)) continue;
      this.#rooms.delete(cordon);
      room.open();
    }
  }

  /** Lets all go on: some may have moved to another cordon. */
  openAll(): void {
    this.open(() => true);
  }
}
