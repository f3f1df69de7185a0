/** Old versions go, and with them the blobs that nobody else has. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, Sha256 } from '../ids.ts';
import type { Blobs, Housekeeping, TrimCursor, VersionQuota } from '../store/index.ts';
import type { ControlPlatform } from './platform.ts';

const BATCH_BLOBS = 256; // looked at in one turn

export interface RetentionDeps {
  readonly housekeeping: Housekeeping;
  readonly blobs: Blobs;
  readonly platform: Pick<ControlPlatform, 'previewsChanged'>;
  /** Of every account; `Infinity` for no limit. */
  readonly quota: VersionQuota;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * Keeps accounts within their quota of versions and removes unused blobs, behind the answers to requests, one thing at a time.
 *
 * First the rows go, then the gateways are told, then the files: whatever a crash leaves is files that nothing names, which
 * the next run removes, or the sweep at the next start.
 */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #accounts = new Set<AccountId>();
  #mustCollect = false;
  #mustSweep = false;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  /** The account has a new version, or another deployment. */
  trimSoon(account: AccountId): void {
    this.#accounts.add(account);
    this.#begin();
  }

  /** Something is gone that had blobs. */
  collectSoon(): void {
    this.#mustCollect = true;
    this.#begin();
  }

  /** To be called at the start: every account, and every blob, also of uploads that failed or were cut short. */
  async sweepSoon(): Promise<void> {
    for (const account of await this.#deps.housekeeping.accountsOver(this.#deps.quota)) this.#accounts.add(account);
    this.#mustSweep = true;
    this.#begin();
  }

  /** Resolves once nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) {
      // oxlint-disable-next-line no-await-in-loop -- more may have come meanwhile
      await this.#running;
    }
  }

  /** Resolves once nothing runs any more. What is left is done at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    await nextTurn(); // the answer to the request goes first
    while (!this.#isClosed) {
      const [account] = this.#accounts;
      try {
        if (account !== undefined) {
          this.#accounts.delete(account);
          // oxlint-disable-next-line no-await-in-loop -- one thing at a time
          await this.#trim(account);
        } else if (this.#mustCollect) {
          this.#mustCollect = false;
          // oxlint-disable-next-line no-await-in-loop
          await this.#collect();
        } else if (this.#mustSweep) {
          this.#mustSweep = false;
          // oxlint-disable-next-line no-await-in-loop
          await this.#sweep();
        } else {
          return;
        }
      } catch (error) {
        this.#deps.onError('old versions or unused blobs could not be removed; the next upload tries again', error);
      }
    }
  }

  async #trim(account: AccountId): Promise<void> {
    const { housekeeping, platform, quota } = this.#deps;
    let from: TrimCursor | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop -- each batch begins where the one before ended
      const { removed, next } = await housekeeping.trimVersions(account, quota, from);
      if (removed.length > 0) this.#mustCollect = true;
      for (const worker of new Set(removed.map((version) => version.worker))) {
        // oxlint-disable-next-line no-await-in-loop -- gateways forget the previews
        await platform.previewsChanged({ account, worker });
      }
      from = next;
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn();
    } while (from !== undefined && !this.#isClosed);
  }

  /** Blobs that lost a user. */
  async #collect(): Promise<void> {
    const { housekeeping } = this.#deps;
    let loose: Sha256[] = [];
    do {
      // oxlint-disable-next-line no-await-in-loop -- batch after batch
      loose = await housekeeping.looseBlobs({ after: loose.at(-1), limit: BATCH_BLOBS });
      // oxlint-disable-next-line no-await-in-loop
      const held = new Set(await this.#remove(loose));
      // Those that an upload holds right now are looked at again with the next one.
      // oxlint-disable-next-line no-await-in-loop
      await housekeeping.settleBlobs(loose.filter((sha256) => !held.has(sha256)));
    } while (loose.length === BATCH_BLOBS && !this.#isClosed);
  }

  /** All blobs. */
  async #sweep(): Promise<void> {
    for await (const stored of this.#deps.blobs.list()) {
      if (this.#isClosed) return;
      for (let start = 0; start < stored.length; start += BATCH_BLOBS) {
        await this.#remove(stored.slice(start, start + BATCH_BLOBS));
        await nextTurn();
      }
    }
  }

  async #remove(candidates: readonly Sha256[]): Promise<readonly Sha256[]> {
    const { housekeeping, blobs } = this.#deps;
    return (await blobs.removeUnused(candidates, (hashes) => housekeeping.usedBlobs(hashes))).held;
  }
}
