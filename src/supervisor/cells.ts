/**
 * All cells: those of the default cordon kept at their number, whatever happens to one of them; those of other cordons
 * started when somebody wants them. Each is replaced by a new one after about a day.
 */
import { DEFAULT_CORDON } from '../gateway/index.ts';
import type { CellExit, CellProcess } from './cell-process.ts';

const QUICK_EXIT_MS = 2_000; // a cell that ends sooner than this after its start may do so forever
const QUICK_EXITS_IN_A_ROW = 3; // from here on it is restarted after a pause
const RETRY_MS = 1_000;
const LIFE_MS = 24 * 3_600_000; // of a cell: what an attack has found out about its memory is then worth nothing
const LIFE_SPREAD = 0.25; // earlier or later, by chance, so that not all go at once
const FAREWELL_MS = 300_000; // for what is under way in a cell that is given up
const MAX_ON_DEMAND = 32; // cells of other cordons; the one that was wanted longest ago makes room

/** A cell that there is to be. */
export interface CellPlace {
  readonly id: string;
  readonly cordon: string;
  /** Used by no other place at the same time. */
  readonly index: number;
}

export interface CellsOptions {
  /** Of the default cordon. */
  readonly count: number;
  /** Starts the cell of this place and resolves when it serves. */
  readonly start: (place: CellPlace, onExit: (cell: CellProcess, exit: CellExit) => void) => Promise<CellProcess>;
  /** Other cells than before are to be given requests. Awaited before a new one starts. */
  readonly onList: (places: readonly CellPlace[]) => Promise<void>;
  readonly onExit: (place: CellPlace, exit: CellExit) => void;
  readonly onReady: (place: CellPlace, pid: number | undefined) => void;
  readonly onFailure: (id: string, error: unknown) => void;
  /** From 0 to 1. */
  readonly random: () => number;
}

interface Waiting {
  readonly cordon: string;
  readonly resolve: (cell: CellProcess) => void;
}

export class Cells {
  readonly #options: CellsOptions;
  /** By id. Of the cordons on demand, the one that was wanted last is the last. */
  readonly #places = new Map<string, CellPlace>();
  readonly #live = new Map<string, CellProcess>();
  #waiting: Waiting[] = [];
  readonly #starting = new Set<Promise<void>>();
  /** Cells that ended before they served. */
  readonly #exited = new Set<string>();
  readonly #quickExits = new Map<string, number>();
  /** New places by the one that each takes the place of. */
  readonly #successors = new Map<CellPlace, CellPlace>();
  readonly #ageing = new Map<string, NodeJS.Timeout>();
  /** Places so far: ids are never used again. */
  #made = 0;
  #stopping = false;

  constructor(options: CellsOptions) {
    this.#options = options;
    for (let index = 0; index < options.count; index++) this.#make(DEFAULT_CORDON);
  }

  /** Of a cordon. */
  idsOf(cordon: string): string[] {
    return [...this.#places.values()].filter((place) => place.cordon === cordon).map(({ id }) => id);
  }

  get live(): CellProcess[] {
    return [...this.#live.values()];
  }

  /** Those that take something new. */
  liveIn(cordon: string): CellProcess[] {
    return this.live.filter((cell) => cell.cordon === cordon && this.#places.has(cell.id));
  }

  /** Starts those of the default cordon; resolves when all serve. */
  async startAll(): Promise<void> {
    const places = [...this.#places.values()];
    await this.#options.onList(places);
    await Promise.all(places.map((place) => this.#track(this.#start(place))));
  }

  /** The cell of this id if it lives, else any of the cordon that does, else the next one to come up. */
  pick(cordon: string, id?: string): Promise<CellProcess> {
    const live = this.liveIn(cordon);
    const found = live.find((cell) => cell.id === id) ?? live[0];
    if (found !== undefined) return Promise.resolve(found);
    const picked = new Promise<CellProcess>((resolve) => this.#waiting.push({ cordon, resolve }));
    this.ensure(cordon);
    return picked;
  }

  /** Somebody wants a cell of this cordon: sees to it that there is one. */
  ensure(cordon: string): void {
    if (this.#stopping) return;
    const [known] = [...this.#places.values()].filter((place) => place.cordon === cordon);
    if (known !== undefined) {
      if (cordon === DEFAULT_CORDON) return;
      this.#places.delete(known.id);
      this.#places.set(known.id, known);
      return;
    }
    const others = [...this.#places.values()].filter((place) => place.cordon !== DEFAULT_CORDON);
    if (others.length >= MAX_ON_DEMAND && others[0] !== undefined) this.#giveUp(others[0]);
    this.#begin(this.#make(cordon));
    void this.#list();
  }

  /** Ends those of cordons that nothing runs in any more; what is under way there may finish. */
  releaseUnused(isUsed: (cordon: string) => boolean): void {
    for (const place of this.#places.values()) if (!isUsed(place.cordon)) this.#giveUp(place);
  }

  async stopAll(): Promise<void> {
    this.#stopping = true;
    for (const id of this.#ageing.keys()) this.#forgetAge(id);
    await Promise.allSettled(this.#starting);
    await Promise.all(this.live.map((cell) => cell.stop()));
  }

  #make(cordon: string): CellPlace {
    const place = { id: `c${this.#made++}`, cordon, index: this.#freeIndex() };
    this.#places.set(place.id, place);
    return place;
  }

  #giveUp(place: CellPlace): void {
    this.#places.delete(place.id);
    this.#quickExits.delete(place.id);
    this.#forgetAge(place.id);
    void this.#list();
    const cell = this.#live.get(place.id);
    if (cell === undefined) return;
    const patience = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref());
    // One that has ended meanwhile cannot be drained.
    void Promise.race([cell.drain().catch(() => {}), patience]).then(() => cell.stop());
  }

  /** A new cell takes the place of this one, once it serves. */
  #renew(place: CellPlace): void {
    if (this.#stopping || this.#places.get(place.id) !== place) return;
    const successor = this.#make(place.cordon);
    this.#successors.set(successor, place);
    this.#begin(successor);
  }

  #forgetAge(id: string): void {
    clearTimeout(this.#ageing.get(id));
    this.#ageing.delete(id);
  }

  async #start(place: CellPlace): Promise<void> {
    const { id } = place;
    const startedAt = performance.now();
    this.#exited.delete(id);
    const cell = await this.#options.start(place, (_, exit) => {
      if (!this.#live.delete(id)) this.#exited.add(id);
      this.#forgetAge(id);
      if (this.#stopping) return;
      this.#options.onExit(place, exit);
      const quick = performance.now() - startedAt < QUICK_EXIT_MS;
      const inARow = quick ? (this.#quickExits.get(id) ?? 0) + 1 : 0;
      this.#quickExits.set(id, inARow);
      setTimeout(() => this.#begin(place), inARow >= QUICK_EXITS_IN_A_ROW ? RETRY_MS : 0);
    });
    this.#live.set(id, cell);
    this.#options.onReady(place, cell.pid);
    // Given up while it came up.
    if (this.#places.get(id) !== place) return this.#stopping ? undefined : cell.stop();
    const life = LIFE_MS * (1 + LIFE_SPREAD * (2 * this.#options.random() - 1));
    this.#ageing.set(id, setTimeout(() => this.#renew(place), life).unref());
    const predecessor = this.#successors.get(place);
    this.#successors.delete(place);
    if (predecessor !== undefined) this.#giveUp(predecessor);
    const served = this.#waiting.filter(({ cordon }) => cordon === place.cordon);
    this.#waiting = this.#waiting.filter(({ cordon }) => cordon !== place.cordon);
    for (const { resolve } of served) resolve(cell);
  }

  /** Starts it, again if need be, as long as there is to be one. */
  #begin(place: CellPlace): void {
    if (this.#stopping || this.#places.get(place.id) !== place) return;
    void this.#track(this.#start(place)).catch((error: unknown) => {
      this.#options.onFailure(place.id, error);
      // One whose process has ended is on its way back already.
      if (!this.#exited.delete(place.id)) setTimeout(() => this.#begin(place), RETRY_MS);
    });
  }

  #list(): Promise<void> {
    return this.#options.onList([...this.#places.values()]);
  }

  #freeIndex(): number {
    // A cell that is on its way out keeps its index until it has gone.
    const taken = new Set([...this.#places.values()].map(({ index }) => index));
    for (const cell of this.#live.values()) taken.add(cell.index);
    let index = 0;
    while (taken.has(index)) index++;
    return index;
  }

  /** For `stopAll`, which waits for cells that are coming up. */
  #track(starting: Promise<void>): Promise<void> {
    this.#starting.add(starting);
    const forget = () => void this.#starting.delete(starting);
    starting.then(forget, forget);
    return starting;
  }
}
