/**
 * CPU profiles of Workers in production. The Worker's requests go to a cell of its own for as long as it takes, whose
 * instances are made to be profiled: what V8's profiler costs, and what may go wrong with it, is nobody else's. Then they
 * go back to where they were, and to instances that have stayed warm.
 */
import { setTimeout } from 'node:timers/promises';
import type { ProfileAnswer } from '../cell/index.ts';
import type { WorkerKey, WorkerProfile } from '../control/index.ts';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId } from '../ids.ts';
import { MAX_CPU_MS, MAX_MEMORY_MIB } from '../limits.ts';
import { type CpuProfile, fillIdle, mapCallFrames, MAX_PROFILE_BYTES, parseCpuProfile } from '../profiles/index.ts';
import type { Registry } from '../store/index.ts';
import type { CellProcess } from './cell-process.ts';
import type { Cells } from './cells.ts';
import { type Cordons, isForProfile } from './cordons.ts';
import type { GatewayProcess } from './gateway-process.ts';

const INTERVAL_US = 250;
const MAX_AT_ONCE = 4; // each is a process more; and one of an account
const MAX_LEAVING = 16; // processes in which requests have not ended that began during a profile
const LEAVING_MS = 5_000; // the next profile of an account waits for the process of the last one
const START_MS = 30_000; // for a process and the Worker in it
const STOP_MS = 30_000; // for the profile to come, after the time is over: entries under way end first
const MAX_ID_CHARS = 100;

const ENTRY_MS = 2 * MAX_CPU_MS + 5_000; // all entries are on the cell's own thread, and ended by the wall clock
const MEMORY_BYTES = (2 * MAX_MEMORY_MIB + 512) * 1024 * 1024;

/** What a cell of this cordon is kept to. V8 does not keep profiled isolates to their limits (Engine.acquireForProfile). */
export function limitsOf(
  cordon: string,
  maxMemoryBytes: number,
): { readonly maxMemoryBytes: number; readonly heartbeatDeadlineMs?: number } {
  if (!isForProfile(cordon)) return { maxMemoryBytes };
  return { heartbeatDeadlineMs: ENTRY_MS, maxMemoryBytes: Math.min(maxMemoryBytes, MEMORY_BYTES) };
}

export interface ProfilesDeps {
  readonly cells: Pick<Cells, 'pick' | 'releaseUnused'>;
  readonly cordons: Cordons;
  readonly gateway: Pick<GatewayProcess, 'setCordons'>;
  readonly registry: Pick<Registry, 'route'>;
  /** Stacks of a version in terms of its sources. */
  readonly mapTexts: (account: AccountId, version: VersionId, texts: readonly string[]) => Promise<readonly string[]>;
}

export class Profiles {
  readonly #deps: ProfilesDeps;
  readonly #running = new Map<AccountId, WorkerKey>();
  /** Cells of profiles that are over, in which something has not ended yet. */
  readonly #leaving = new Map<AccountId, CellProcess>();
  readonly #closing = new AbortController();

  constructor(deps: ProfilesDeps) {
    this.#deps = deps;
  }

  /** Profiles what the Worker does in the next `seconds`, or until the signal says that nobody wants it any more. */
  async take(key: WorkerKey, { seconds, signal }: { seconds: number; signal: AbortSignal }): Promise<WorkerProfile> {
    const versions = await this.#servingVersions(key);
    this.#admit(key);
    this.#running.set(key.account, key);
    try {
      await this.#untilGone(key);
      return await this.#take(key, { versions, seconds, signal });
    } finally {
      this.#running.delete(key.account);
    }
  }

  /** Those under way are given up, and there are no others. */
  close(): void {
    this.#closing.abort();
  }

  #admit(key: WorkerKey): void {
    const other = this.#running.get(key.account);
    if (other !== undefined) throw isBusy(key, `"${other.worker}" of the same account is being profiled`);
    if (this.#running.size >= MAX_AT_ONCE)
      throw isBusy(key, `${MAX_AT_ONCE} Workers are being profiled, and no more at once`);
    if (this.#leaving.size >= MAX_LEAVING)
      throw isBusy(key, 'requests that began during earlier profiles have not ended, in too many processes');
  }

  /** Else an account whose requests take long could have any number of processes, one profile after the other. */
  async #untilGone(key: WorkerKey): Promise<void> {
    const cell = this.#leaving.get(key.account);
    if (cell === undefined) return;
    await Promise.race([cell.ended, setTimeout(LEAVING_MS, undefined, { ref: false })]);
    if (this.#leaving.has(key.account))
      throw isBusy(key, 'requests that began during the last profile of this account have not ended');
  }

  async #take(
    key: WorkerKey,
    { versions, seconds, signal }: { versions: readonly VersionId[]; seconds: number; signal: AbortSignal },
  ): Promise<WorkerProfile> {
    const { cells, cordons, gateway } = this.#deps;
    const lost = new AbortController();
    const over = AbortSignal.any([signal, lost.signal, this.#closing.signal]);
    const isOver = new Promise<never>((_, reject) => {
      const stop = () => reject(isLost(key));
      if (over.aborted) stop();
      else over.addEventListener('abort', stop);
    });
    isOver.catch(() => {});
    const late = AbortSignal.timeout(START_MS);
    const isLate = () => lost.abort();
    late.addEventListener('abort', isLate);
    let cell: CellProcess | undefined;
    try {
      cell = await Promise.race([cells.pick(cordons.openProfile(key)), isOver]);
      void cell.ended.then(() => lost.abort());
      await Promise.race([this.#begin(cell, key, versions), isOver]);
      late.removeEventListener('abort', isLate);
      cordons.serveProfile(key);
      await gateway.setCordons(cordons.table());
      await Promise.race([setTimeout(seconds * 1e3, undefined, { signal: over }), isOver]);
      return await Promise.race([this.#stop(key, cell), isOver]);
    } catch (error) {
      // The end of its channel is seen before the end of its process.
      throw cell?.lost === true ? isLost(key) : error;
    } finally {
      lost.abort();
      cordons.closeProfile(key);
      if (cell !== undefined) this.#letGo(key.account, cell);
      // One that has ended is not to come back.
      if (cell?.lost === true) this.#release();
      await gateway.setCordons(cordons.table());
      // WebSockets that were opened there are asked to connect anew; other requests may finish.
      void cell?.reload({ account: key.account, worker: undefined }).catch(() => {});
      this.#release();
    }
  }

  #release(): void {
    const { cells, cordons } = this.#deps;
    cells.releaseUnused((cordon) => cordons.isUsed(cordon));
  }

  async #begin(cell: CellProcess, { account, worker }: WorkerKey, versions: readonly VersionId[]): Promise<void> {
    await cell.startProfile({ account, worker, intervalUs: INTERVAL_US, maxBytes: MAX_PROFILE_BYTES });
    // The first request finds an instance. One that does not start is told of by that request.
    await Promise.allSettled(versions.map((version) => cell.prepare(version)));
  }

  #letGo(account: AccountId, cell: CellProcess): void {
    this.#leaving.set(account, cell);
    void cell.ended.then(() => {
      if (this.#leaving.get(account) === cell) this.#leaving.delete(account);
    });
  }

  async #stop(key: WorkerKey, cell: CellProcess): Promise<WorkerProfile> {
    const patience = setTimeout(STOP_MS, undefined, { ref: false }).then(() => Promise.reject(isLost(key)));
    patience.catch(() => {});
    const { value, payload } = await Promise.race([cell.stopProfile(), patience]);
    const { version, bytes } = value as Partial<ProfileAnswer>;
    if (typeof version !== 'string' || version.length > MAX_ID_CHARS) throw isLost(key);
    const profile = fillIdle(parse(key, payload, Number(bytes)), INTERVAL_US);
    const mapTexts = (texts: readonly string[]) => this.#deps.mapTexts(key.account, version, texts);
    return { version, profile: await mapCallFrames(profile, mapTexts) };
  }

  async #servingVersions({ account, worker }: WorkerKey): Promise<VersionId[]> {
    const shares = (await this.#deps.registry.route(account, worker))?.route.shares ?? [];
    const running = shares.filter(({ percentage, assets }) => percentage > 0 && assets?.only !== true);
    if (running.length > 0) return running.map(({ version }) => version);
    throw new PlatformError('workerNotFound', `Cannot profile "${worker}": no version with code of it is deployed`);
  }
}

/** `bytes`: how large it is, also when it was too large to be sent. */
function parse(key: WorkerKey, json: Buffer, bytes: number): CpuProfile {
  try {
    if (bytes > MAX_PROFILE_BYTES) throw new RangeError(`the profile has ${bytes} bytes, at most ${MAX_PROFILE_BYTES}`);
    return parseCpuProfile(json);
  } catch (error) {
    const reason = error instanceof RangeError ? `${error.message}; take fewer seconds` : 'its cell sent none';
    throw new PlatformError('profileLost', `Cannot profile "${key.worker}": ${reason}`);
  }
}

function isBusy({ worker }: WorkerKey, reason: string): PlatformError {
  return new PlatformError('profileBusy', `Cannot profile "${worker}": ${reason}. Try again when that is over.`);
}

function isLost({ worker }: WorkerKey): PlatformError {
  return new PlatformError(
    'profileLost',
    `Cannot profile "${worker}": the process that ran it for that ended or did not answer. It may have passed a limit.`,
  );
}
