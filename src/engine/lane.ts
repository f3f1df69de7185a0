/**
 * The lane: the one place on isolated-vm's thread pool for entries that may run long, and who waits for it.
 *
 * One, because only then can its CPU time be told apart (lane-clock.ts). A machine's other cores are used by other
 * cells. Entries of Workers not yet known go before those that are known to run long: a tenant who spins waits behind
 * other spinners, not in front of a newcomer.
 */
export type LanePriority = 'unknown' | 'long';

export class Lane {
  readonly #waiting: Record<LanePriority, (() => void)[]> = { unknown: [], long: [] };
  #taken = false;
  #budgetUs = 0;

  /** Whether the entry that has it may use more than `budgetUs`: who cannot wait for that goes elsewhere. */
  isTakenBeyond(budgetUs: number): boolean {
    return this.#taken && this.#budgetUs > budgetUs;
  }

  /** What the entry that has it may use. */
  setBudget(budgetUs: number): void {
    this.#budgetUs = budgetUs;
  }

  /** Resolves when the lane is the caller's, who must `release` it. */
  acquire(priority: LanePriority): Promise<void> {
    if (!this.#taken) {
      this.#taken = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting[priority].push(resolve));
  }

  release(): void {
    const next = this.#waiting.unknown.shift() ?? this.#waiting.long.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}
