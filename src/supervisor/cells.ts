/** All cells: kept at their number, whatever happens to one of them. */
import type { CellProcess } from './cell-process.ts';

const QUICK_EXIT_MS = 2_000; // a cell that ends sooner than this after its start may do so forever
const QUICK_EXITS_IN_A_ROW = 3; // from here on it is restarted after a pause
const RETRY_MS = 1_000;

export interface CellsOptions {
  readonly count: number;
  /** Starts the cell of this id and resolves when it serves. */
  readonly start: (id: string, onExit: (cell: CellProcess, reason: string) => void) => Promise<CellProcess>;
  readonly onExit: (id: string, reason: string) => void;
  readonly onReady: (id: string, pid: number | undefined) => void;
  readonly onFailure: (id: string, error: unknown) => void;
}

export class Cells {
  readonly #options: CellsOptions;
  readonly #live = new Map<string, CellProcess>();
  readonly #waiting: ((cell: CellProcess) => void)[] = [];
  readonly #starting = new Set<Promise<void>>();
  /** Cells that ended before they served. */
  readonly #exited = new Set<string>();
  readonly #quickExits = new Map<string, number>();
  #stopping = false;

  constructor(options: CellsOptions) {
    this.#options = options;
  }

  get ids(): string[] {
    return Array.from({ length: this.#options.count }, (_, index) => `c${index}`);
  }

  get live(): CellProcess[] {
    return [...this.#live.values()];
  }

  /** Starts all; resolves when all serve. */
  async startAll(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.#track(this.#start(id))));
  }

  /** The cell of this id if it lives, else any that does, else the next one to come up. */
  pick(id?: string): Promise<CellProcess> {
    const found = (id === undefined ? undefined : this.#live.get(id)) ?? this.live[0];
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stopAll(): Promise<void> {
    this.#stopping = true;
    await Promise.allSettled(this.#starting);
    await Promise.all(this.live.map((cell) => cell.stop()));
  }

  async #start(id: string): Promise<void> {
    const startedAt = performance.now();
    this.#exited.delete(id);
    const cell = await this.#options.start(id, (_, reason) => {
      if (!this.#live.delete(id)) this.#exited.add(id);
      if (this.#stopping) return;
      this.#options.onExit(id, reason);
      const quick = performance.now() - startedAt < QUICK_EXIT_MS;
      const inARow = quick ? (this.#quickExits.get(id) ?? 0) + 1 : 0;
      this.#quickExits.set(id, inARow);
      setTimeout(() => this.#restart(id), inARow >= QUICK_EXITS_IN_A_ROW ? RETRY_MS : 0);
    });
    this.#live.set(id, cell);
    this.#options.onReady(id, cell.pid);
    for (const resolve of this.#waiting.splice(0)) resolve(cell);
  }

  #restart(id: string): void {
    if (this.#stopping) return;
    void this.#track(this.#start(id)).catch((error: unknown) => {
      this.#options.onFailure(id, error);
      // One whose process has ended is on its way back already.
      if (!this.#exited.delete(id)) setTimeout(() => this.#restart(id), RETRY_MS);
    });
  }

  /** For `stopAll`, which waits for cells that are coming up. */
  #track(starting: Promise<void>): Promise<void> {
    this.#starting.add(starting);
    const forget = () => void this.#starting.delete(starting);
    starting.then(forget, forget);
    return starting;
  }
}
