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
import { type CpuProfile, fillIdle, mapCallFrames, parseCpuProfile } from '../profiles/index.ts';
import type { Registry } from '../store/index.ts';
import type { CellProcess } from './cell-process.ts';
import type { Cells } from './cells.ts';
import { type Cordons, isForProfile } from './cordons.ts';
import type { GatewayProcess } from './gateway-process.ts';

const INTERVAL_US = 250;
const MAX_AT_ONCE = 4; // each is a process more; and one of an account
const STOP_MS = 30_000; // for the profile to come, after the time is over: entries under way end first

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

  constructor(deps: ProfilesDeps) {
    this.#deps = deps;
  }

  /** Profiles what the Worker does in the next `seconds`. */
  async take(key: WorkerKey, seconds: number): Promise<WorkerProfile> {
    const versions = await this.#servingVersions(key);
    const other = this.#running.get(key.account);
    if (other !== undefined) throw isBusy(key, `"${other.worker}" of the same account is being profiled`);
    if (this.#running.size >= MAX_AT_ONCE)
      throw isBusy(key, `${MAX_AT_ONCE} Workers are being profiled, and no more at once`);
    this.#running.set(key.account, key);
    try {
      return await this.#take(key, versions, seconds);
    } finally {
      this.#running.delete(key.account);
    }
  }

  async #take(key: WorkerKey, versions: readonly VersionId[], seconds: number): Promise<WorkerProfile> {
    const { cells, cordons, gateway } = this.#deps;
    const cordon = cordons.openProfile(key);
    try {
      const cell = await cells.pick(cordon);
      const lost = cell.ended.then(() => Promise.reject(isLost(key)));
      lost.catch(() => {});
      const profiling = async () => {
        await cell.startProfile({ account: key.account, worker: key.worker, intervalUs: INTERVAL_US });
        // The first request finds an instance. One that does not start is told of by that request.
        await Promise.allSettled(versions.map((version) => cell.prepare(version)));
        cordons.serveProfile(key);
        await gateway.setCordons(cordons.table());
        await setTimeout(seconds * 1e3);
        return await this.#stop(key, cell);
      };
      return await Promise.race([profiling(), lost]);
    } finally {
      cordons.closeProfile(key);
      await gateway.setCordons(cordons.table());
      cells.releaseUnused((other) => cordons.isUsed(other));
    }
  }

  async #stop(key: WorkerKey, cell: CellProcess): Promise<WorkerProfile> {
    const patience = setTimeout(STOP_MS, undefined, { ref: false }).then(() => Promise.reject(isLost(key)));
    patience.catch(() => {});
    const { value, payload } = await Promise.race([cell.stopProfile(), patience]);
    const { version } = value as Partial<ProfileAnswer>;
    if (typeof version !== 'string') throw isLost(key);
    const profile = fillIdle(parse(key, payload), INTERVAL_US);
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

function parse(key: WorkerKey, json: Buffer): CpuProfile {
  try {
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
    `Cannot profile "${worker}": the process that ran it for that ended or did not answer. It may have passed its memory limit.`,
  );
}
