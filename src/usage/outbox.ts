import { MAX_BATCH_ROWS, toWireRow, type UsageMessage } from './batch.ts';
import type { Meter } from './meter.ts';

export interface OutboxOptions {
  readonly meter: Meter;
  /** Resolves when the ledger has it. */
  readonly send: (message: UsageMessage) => Promise<unknown>;
  /** Has the meter count what runs and has not ended. */
  readonly beforeCut: () => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly everyMs?: number;
  readonly retryMs?: number;
}

const EVERY_MS = 400; // what a cell loses when it is killed
const RETRY_MS = 500;
const MAX_UNANSWERED = 20; // then the sums grow instead: they take no more room for it
const MINUTE_MS = 60_000;

/** A cell's batches of usage, numbered, each kept and sent again until it is answered. */
export class UsageOutbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #unanswered = new Set<Promise<void>>();
  #lastNumber = 0;
  #minute: number;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#minute = this.#now();
    this.#timer = setInterval(() => this.#tick(), options.everyMs ?? EVERY_MS);
  }

  /** Resolves when all that was used up to here is in the ledger. */
  async flush(): Promise<void> {
    this.#cut();
    await Promise.all(this.#unanswered);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#unanswered.size < MAX_UNANSWERED) this.#cut();
  }

  #cut(): void {
    const { meter, beforeCut } = this.#options;
    beforeCut();
    const rows = meter.cut();
    const minute = this.#minute;
    this.#minute = this.#now();
    for (let at = 0; at < rows.length; at += MAX_BATCH_ROWS) {
      const message = {
        number: ++this.#lastNumber,
        minute,
        rows: rows.slice(at, at + MAX_BATCH_ROWS).map(toWireRow),
      };
      const answered = this.#deliver(message).finally(() => this.#unanswered.delete(answered));
      this.#unanswered.add(answered);
    }
  }

  async #deliver(message: UsageMessage): Promise<void> {
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        await this.#options.send(message);
        return;
      } catch {
        // The ledger could not take it: it may, later.
      }
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs ?? RETRY_MS));
    }
  }

  #now(): number {
    return Math.floor(this.#options.now() / MINUTE_MS);
  }
}
