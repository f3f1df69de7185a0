import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { LruCache } from '../lru-cache.ts';
import type { Ledger } from '../store/ledger.ts';
import { isCount, MAX_BATCH_ROWS, parseWireRow, type UsageMessage, type UsageRow } from './batch.ts';
import { Plausibility } from './plausibility.ts';

/** A row whose version a cell was given, with whose it is. */
export interface CheckedRow extends UsageRow {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

export interface UsageIntakeOptions {
  readonly ledger: Pick<Ledger, 'take'>;
  /** Hears of what the ledger has taken, each batch once. */
  readonly onTaken: (rows: readonly CheckedRow[], minute: number) => void;
  readonly onWarning: (message: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly randomUUID: () => string;
}

const MINUTE_MS = 60_000;
const MAX_LATE_MINUTES = 60; // a batch that waited longer for the ledger counts for now
const MAX_TAKING = 64; // batches of a cell under way; one that is in order has 20 and those of its end
const MAX_VERSIONS = 65_536; // that a cell may have usage of: many more than it has instances

/** Takes cells' batches of usage into the ledger. A cell may have been taken over: what cannot be is not counted. */
export class UsageIntake {
  readonly #options: UsageIntakeOptions;

  constructor(options: UsageIntakeOptions) {
    this.#options = options;
  }

  /** For one life of a cell. */
  openCell(): CellUsage {
    return new CellUsage(this.#options);
  }
}

export class CellUsage {
  readonly #options: UsageIntakeOptions;
  readonly #id: string;
  /** Whose the versions are whose code the cell was given. */
  readonly #versions = new LruCache<{ readonly account: AccountId; readonly worker: WorkerName }>(MAX_VERSIONS);
  readonly #plausibility: Plausibility;
  readonly #firstMinute: number;
  #taking = 0;
  #warned = false;

  constructor(options: UsageIntakeOptions) {
    this.#options = options;
    this.#id = options.randomUUID();
    this.#plausibility = new Plausibility(options.now());
    this.#firstMinute = this.#minute();
  }

  /** It was given the code of this version: it may have usage of it. */
  allow(version: VersionId, owner: { readonly account: AccountId; readonly worker: WorkerName }): void {
    this.#versions.set(version, { account: owner.account, worker: owner.worker }, 1);
  }

  /** Whose version it is, if the cell was given its code. */
  ownerOf(version: VersionId): { readonly account: AccountId; readonly worker: WorkerName } | undefined {
    return this.#versions.get(version);
  }

  /**
   * Resolves when the ledger has the batch, or when there is nothing in it that could be counted: neither is sent again.
   * Rejects when the ledger cannot take it now.
   */
  async take(message: unknown): Promise<void> {
    if (this.#taking >= MAX_TAKING) throw new Error(`Cannot take usage: ${this.#taking} batches are under way`);
    this.#taking++;
    try {
      await this.#take(message as Partial<UsageMessage> | null);
    } finally {
      this.#taking--;
    }
  }

  async #take(message: Partial<UsageMessage> | null): Promise<void> {
    const { number, minute, rows } = message ?? {};
    if (!isCount(number) || number === 0 || !isCount(minute) || !Array.isArray(rows) || rows.length > MAX_BATCH_ROWS) {
      this.#warn('a batch is malformed');
      return;
    }
    const checked = rows.flatMap((row) => this.#check(row) ?? []);
    const counted = this.#toMinute(minute);
    const { ledger, onTaken } = this.#options;
    // With nothing in it too: its number is one that later ones follow.
    try {
      const isNew = await ledger.take({ cell: this.#id, number, minute: counted, entries: checked.map(toEntry) });
      if (isNew) onTaken(checked, counted);
    } catch (error) {
      this.#plausibility.giveBack(checked); // it will come again
      throw error;
    }
  }

  #check(value: unknown): CheckedRow | undefined {
    const row = parseWireRow(value);
    if (row === undefined) return this.#warn('a row is malformed');
    const owner = this.#versions.get(row.version);
    if (owner === undefined) return this.#warn('it was not given the code that was used');
    const reason = this.#plausibility.refuse(row, this.#options.now());
    if (reason !== undefined) return this.#warn(reason);
    return { ...row, ...owner };
  }

  /** Not before the cell was there, not in the future, and not in a month that has been billed. */
  #toMinute(minute: number): number {
    const now = this.#minute();
    return Math.min(Math.max(minute, this.#firstMinute, now - MAX_LATE_MINUTES), now);
  }

  #warn(reason: string): undefined {
    if (!this.#warned) this.#options.onWarning(`Usage that a cell told of was not counted: ${reason}`);
    this.#warned = true; // once: it may have been taken over, and would fill the log
  }

  #minute(): number {
    return Math.floor(this.#options.now() / MINUTE_MS);
  }
}

function toEntry({ account, worker, event, outcome, totals }: CheckedRow) {
  return { account, worker, event, outcome, totals };
}
