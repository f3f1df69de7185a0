/**
 * Looks for Workers that use CPU as an attack by side channels does (Spectre): one instance that computes for long, and
 * much for each request that it answers. Such attacks need hours of it. Looked at while it runs, not when it has ended:
 * the numbers are those that cells tell each second, whatever an invocation or a WebSocket does meanwhile.
 *
 * What an instance computes for a request is small when it works for somebody. It is large when an entry goes to its limit each
 * time, and there is no request at all while messages of a WebSocket, or timers, keep an invocation going as a clock.
 */
import type { WorkerKey } from '../control/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';

const LOOK_EVERY_MS = 10_000;
const COSTLY_CPU_US = 20_000; // for a request: what works for somebody takes a few ms, and has 50 unless told otherwise
const BUSY_CPU_US = 250_000; // of a second, for which it computes: less is not worth an attacker's while
const FULL_CPU_US = 700_000; // of a second: a share of one core that only computing takes
const HIGH_SCORE = 180; // half an hour of that, or 84 minutes of the least that counts
const DECAY = 1; // a look at which it did not costs it what one earned: who rests half of the time gets nowhere

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
      const isBusy = cpuUs >= BUSY_CPU_US && cpuUs >= requests * COSTLY_CPU_US;
      const score = (this.#scores.get(key) ?? 0) + (isBusy ? Math.min(cpuUs / FULL_CPU_US, 1) : -DECAY);
      if (score >= HIGH_SCORE) {
        const key = { account: account as AccountId, worker: worker as WorkerName };
        this.#options.onSuspect({ worker: key, version: version as VersionId, cell });
      } else if (score > 0) scores.set(key, score);
    }
    // Those that are gone have no score any more.
    this.#scores = scores;
  }
}
