const INITIAL_SLOTS = 256;
const MAX_SLOTS = 65_536;

/**
 * Finds open exchanges, calls and invocations by their number, like a Map. Numbers are given out in sequence, so the low bits are
 * the slot; those that collide (an old one that is still open) go into a Map.
 *
 * Why not a Map alone: when V8 rehashes a Map the old table keeps a pointer to the new one. Tables that have reached the
 * old generation so keep every later table alive, and all its entries, until a full collection: half of the young
 * generation survived each scavenge, and the gateway spent a third more CPU on a request.
 */
export class IdTable<Entry extends { readonly id: number }> {
  readonly #shift: number;
  readonly #initialSlots: number;
  #slots: (Entry | undefined)[];
  #overflow: Map<number, Entry> | undefined;
  #size = 0;

  /** `shift`: low bits that are the same in all numbers. `initialSlots`: a power of two. */
  constructor(shift: 0 | 1, initialSlots = INITIAL_SLOTS) {
    this.#shift = shift;
    this.#initialSlots = initialSlots;
    this.#slots = newSlots(initialSlots);
  }

  get size(): number {
    return this.#size;
  }

  get(id: number): Entry | undefined {
    const entry = this.#slots[this.#slot(id)];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#overflow?.get(id);
  }

  /** The number must not be in the table. */
  add(entry: Entry): void {
    if (this.#size >= this.#slots.length / 2 && this.#slots.length < MAX_SLOTS) this.#grow();
    this.#size++;
    this.#put(entry);
  }

  /** Whether it was there. */
  delete(id: number): boolean {
    const slot = this.#slot(id);
    if (this.#slots[slot]?.id === id) this.#slots[slot] = undefined;
    else if (this.#overflow?.delete(id) !== true) return false;
    else if (this.#overflow.size === 0) this.#overflow = undefined;
    this.#size--;
    return true;
  }

  values(): Entry[] {
    return [...this.#slots.filter((entry) => entry !== undefined), ...(this.#overflow?.values() ?? [])];
  }

  clear(): void {
    this.#slots = newSlots(this.#initialSlots);
    this.#overflow = undefined;
    this.#size = 0;
  }

  #slot(id: number): number {
    return (id >> this.#shift) & (this.#slots.length - 1);
  }

  #put(entry: Entry): void {
    const slot = this.#slot(entry.id);
    if (this.#slots[slot] === undefined) {
      this.#slots[slot] = entry;
      return;
    }
    this.#overflow ??= new Map();
    this.#overflow.set(entry.id, entry);
  }

  #grow(): void {
    const entries = this.values();
    this.#slots = newSlots(this.#slots.length * 2);
    this.#overflow = undefined;
    for (const entry of entries) this.#put(entry);
  }
}

function newSlots<Entry>(length: number): (Entry | undefined)[] {
  return Array.from({ length }, () => undefined);
}
