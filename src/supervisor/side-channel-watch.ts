/**
 * Looks for Workers that use CPU as an attack by side channels does (Spectre): one instance that computes nearly all the
 * time, for long, and is asked for little. Such attacks need hours of it. Looked at while it runs, not when it has ended:
 * the numbers are those that cells tell each second, whatever an invocation or a WebSocket does meanwhile.
 */
import type { WorkerKey } from '../control/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';

const LOOK_EVERY_MS = 10_000;
const BUSY_CPU_US = 700_000; // of a second: a share of one core that only computing takes
const FEW_REQUESTS = 5; // a second; one that is asked for more works for somebody
const HIGH_SCORE = 180; // looks in a row: half an hour
const DECAY = 2; // a look at which it did not costs it what two earned

export interface Observed {
  readonly account: string;
  readonly worker: string;
  readonly version: string;
  /** Of the last second. */
  readonly cpuUs: number;
  readonly requests: number;
}

export interface SideChannelWatchOptions {
  /** All instances of all cells, with the ids of their cells. */
  readonly look: () => Iterable<readonly [cell: string, instance: Observed]>;
  /** This Worker is to have a process of its own. */
  readonly onSuspect: (suspect: { worker: WorkerKey; version: VersionId; cell: string }) => void;
}

export class SideChannelWatch {
  readonly #options: SideChannelWatchOptions;
  /** By cell and version. */
  #scores = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: SideChannelWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const scores = new Map<string, number>();
    for (const [cell, { account, worker, version, cpuUs, requests }] of this.#options.look()) {
      const key = `${cell} ${version}`;
      const isBusy = cpuUs >= BUSY_CPU_US && requests < FEW_REQUESTS;
      const score = (this.#scores.get(key) ?? 0) + (isBusy ? 1 : -DECAY);
      if (score >= HIGH_SCORE) {
        const key = { account: account as AccountId, worker: worker as WorkerName };
        this.#options.onSuspect({ worker: key, version: version as VersionId, cell });
      } else if (score > 0) scores.set(key, score);
    }
    // Those that are gone have no score any more.
    this.#scores = scores;
  }
}
