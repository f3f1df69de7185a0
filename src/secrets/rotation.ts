import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VersionId } from '../ids.ts';
import type { ResealedVersion, SealedVersion, SecretKeys } from '../store/index.ts';
import { type Vault, withFreshKeys } from './vault.ts';

const BATCH_VERSIONS = 50; // one transaction, some 10 ms at most: requests get their turn in between

export interface RotationProgress {
  readonly state: 'idle' | 'running' | 'done' | 'failed';
  /** Versions with secrets to seal anew, as counted at the start (or when it was taken up again after a restart). */
  readonly total: number;
  readonly done: number;
  /** Versions whose secrets do not open: left as they are, with their key. */
  readonly unreadable: readonly VersionId[];
  readonly startedOn?: string;
  readonly endedOn?: string;
}

export interface RotationDeps {
  readonly keys: SecretKeys;
  readonly vault: Vault;
  readonly now: () => number;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * Gives every account a new data key and seals every stored secret with it, while the platform serves.
 *
 * The store knows how far it is: by the key that each version is sealed with. So it goes on where it was after a crash,
 * and uploads at the same time need no lock: they are sealed with the new keys, or counted as outdated.
 */
export class Rotation {
  readonly #deps: RotationDeps;
  #progress: RotationProgress = { state: 'idle', total: 0, done: 0, unreadable: [] };
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: RotationDeps) {
    this.#deps = deps;
  }

  get progress(): RotationProgress {
    return this.#progress;
  }

  /** Begins one, unless one is running. Resolves once it has begun; `progress` tells the rest. */
  async start(): Promise<RotationProgress> {
    if (this.#running === undefined) await this.#begin(() => this.#deps.keys.nextGeneration());
    return this.#progress;
  }

  /** Goes on with what an earlier process began, if it did. */
  async resume(): Promise<void> {
    const { keys } = this.#deps;
    if ((await keys.countOutdated()) === 0) await keys.dropOutdated();
    else await this.#begin(async () => {});
  }

  /** Resolves once nothing runs any more. What is left is done at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #begin(prepare: () => Promise<unknown>): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#running = (async () => {
      try {
        await prepare();
        const total = await this.#deps.keys.countOutdated();
        const startedOn = this.#time();
        this.#progress = { state: 'running', total, done: 0, unreadable: [], startedOn };
        begun.resolve();
        await this.#run();
      } catch (error) {
        this.#progress = { ...this.#progress, state: 'failed', endedOn: this.#time() };
        this.#deps.onError('the rotation of the secrets failed; it goes on with the next one or the next start', error);
        begun.reject(error);
      } finally {
        this.#running = undefined;
      }
    })();
    await begun.promise;
  }

  async #run(): Promise<void> {
    const { keys } = this.#deps;
    const unreadable = new Set<VersionId>();
    while (!this.#isClosed) {
      const listed = await keys.listOutdated(BATCH_VERSIONS + unreadable.size);
      const batch = listed.filter(({ id }) => !unreadable.has(id));
      if (batch.length === 0) break;
      const resealed: ResealedVersion[] = [];
      for (const version of batch) {
        const change = await this.#reseal(version);
        if (change === undefined) unreadable.add(version.id);
        else resealed.push(change);
      }
      await keys.reseal(resealed);
      const done = this.#progress.done + batch.length;
      const total = Math.max(this.#progress.total, done); // uploads that were under way have come on top
      this.#progress = { ...this.#progress, done, total, unreadable: [...unreadable] };
      await nextTurn();
    }
    if (this.#isClosed) return;
    await keys.dropOutdated();
    this.#progress = { ...this.#progress, state: 'done', endedOn: this.#time() };
  }

  /** Undefined when the secrets do not open. */
  async #reseal(version: SealedVersion): Promise<ResealedVersion | undefined> {
    const { vault, onError } = this.#deps;
    try {
      const bindings = await vault.open(version, version);
      const sealed = await withFreshKeys(() => vault.seal(version, bindings));
      return { id: version.id, from: version.secretsKey, to: sealed.secretsKey!, bindings: sealed.bindings };
    } catch (error) {
      onError(`the secrets of version ${version.id} of '${version.worker}' cannot be opened`, error);
      return undefined;
    }
  }

  #time(): string {
    return new Date(this.#deps.now()).toISOString();
  }
}
