/** What the control API can make the platform do: check code, switch routes, fire events. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { parseRecord } from '../checked-record.ts';
import type { CheckResult, ControlPlatform, InstanceHeap, ScheduledResult, WorkerKey } from '../control/index.ts';
import type { WorkerProfile } from '../control/index.ts';
import { PlatformError } from '../errors.ts';
import { preferredCell } from '../gateway/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { InvocationRecord, Route, VersionCode } from '../model.ts';
import type { AccountSettings, Registry, RuleChange } from '../store/index.ts';
import { newTraceId } from '../trace-context.ts';
import { servingVersion } from './cell-handlers.ts';
import type { Cells } from './cells.ts';
import { type Cordons, quarantineOf } from './cordons.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { Profiles, type ProfilesDeps } from './profiles.ts';

const bytes = z.int().min(0);
/** A cell is not trusted. */
const CellHeaps = z
  .array(
    z.object({
      version: z.string().max(100),
      heldBytes: bytes,
      invocations: z.int().min(0),
      heap: z
        .object({
          usedHeapBytes: bytes,
          totalHeapBytes: bytes,
          heapLimitBytes: bytes,
          externalBytes: bytes,
          mallocedBytes: bytes,
          executableBytes: bytes,
        })
        .optional(),
    }),
  )
  .max(10_000);

export interface ControlPlatformDeps {
  readonly cells: Cells;
  readonly gateway: GatewayProcess;
  readonly registry: Registry;
  readonly cordons: Cordons;
  /** Stacks in terms of the sources; undefined where there are none. */
  readonly mapStacks: (record: InvocationRecord) => Promise<InvocationRecord> | undefined;
  /** The same for the frames of a profile. */
  readonly mapTexts: ProfilesDeps['mapTexts'];
  readonly now: () => number;
  /** The share of scheduled events that are traced: 0 to 1. */
  readonly traceRatio: number;
}

export class SupervisedPlatform implements ControlPlatform {
  readonly #deps: ControlPlatformDeps;
  readonly #profiles: Profiles;
  /** Versions that are being tried out, which the registry does not know. */
  readonly #trials = new Map<VersionId, WorkerKey>();
  /** Those of them that have cost a cell. */
  readonly #blamed = new Set<VersionId>();

  constructor(deps: ControlPlatformDeps) {
    this.#deps = deps;
    this.#profiles = new Profiles(deps);
  }

  /** This version has cost a cell. Whose it is, if it is being tried out: then it is not tried again. */
  blameTrial(id: VersionId): WorkerKey | undefined {
    const owner = this.#trials.get(id);
    if (owner !== undefined) this.#blamed.add(id);
    return owner;
  }

  async check(code: VersionCode): Promise<CheckResult> {
    const { id } = code.spec;
    this.#trials.set(id, code.spec);
    try {
      return await this.#check(code);
    } finally {
      this.#trials.delete(id);
      this.#blamed.delete(id);
    }
  }

  async #check(code: VersionCode): Promise<CheckResult> {
    const { cells, cordons } = this.#deps;
    // A cell that ends takes every check in it along. Where nobody can tell whose fault it was there is a second try, in
    // a cell of the account's own: no upload costs others two.
    for (const cordon of [cordons.ofTrial(code.spec), quarantineOf(code.spec.account)]) {
      // oxlint-disable-next-line no-await-in-loop -- the second attempt depends on the first
      const cell = await cells.pick(cordon);
      try {
        return await cell.check(code);
      } catch (error) {
        if (!cell.lost) throw error;
        await cell.ended;
        if (this.#blamed.has(code.spec.id)) break;
      }
    }
    return { ok: false, message: 'Script startup ended the process that checked it: it could not be stopped in time.' };
  }

  async publish(route: Route): Promise<void> {
    const { cells, cordons, gateway } = this.#deps;
    const cordon = cordons.of(route);
    const shares = route.shares.filter(({ percentage }) => percentage > 0);
    const serving = shares.map(({ version }) => version);
    const running = shares.filter(({ assets }) => assets?.only !== true).map(({ version }) => version);
    // Each cell makes its first instance before any request can arrive. One that fails to is not waited for: it will
    // make it at the first request.
    await Promise.allSettled(cells.liveIn(cordon).flatMap((cell) => running.map((version) => cell.prepare(version))));
    await gateway.setRoutes([route]);
    const { account, worker } = route;
    const version = servingVersion(route.shares);
    for (const cell of cells.live) cell.deployed({ account, worker, version, serving });
  }

  async publishMany(routes: readonly Route[]): Promise<void> {
    await this.#deps.gateway.setRoutes(routes);
  }

  async reload(account: AccountId, worker: WorkerName | undefined): Promise<void> {
    // A cell that does not answer is on its way out.
    await Promise.allSettled(this.#deps.cells.live.map((cell) => cell.reload({ account, worker })));
  }

  async setRules({ set, remove }: RuleChange): Promise<void> {
    await this.#deps.gateway.setRules({ set, remove });
  }

  async previewsChanged({ account, worker }: WorkerKey): Promise<void> {
    await this.#deps.gateway.previewsChanged({ account, worker });
  }

  async withdraw(account: AccountId, worker: WorkerName): Promise<void> {
    const { cells, gateway } = this.#deps;
    await gateway.removeRoutes([{ account, worker }]);
    for (const cell of cells.live) cell.deployed({ account, worker, version: undefined, serving: [] });
  }

  async withdrawMany(workers: readonly WorkerKey[]): Promise<void> {
    await this.#deps.gateway.removeRoutes(workers);
  }

  async suspendAccount(account: AccountId): Promise<void> {
    const { cells, gateway } = this.#deps;
    await gateway.setAccounts({ suspend: [account] });
    // A cell that does not answer is on its way out, and one that comes up is given no code of the account.
    await Promise.allSettled(cells.live.map((cell) => cell.suspend(account)));
  }

  async resumeAccount(account: AccountId): Promise<void> {
    await this.#deps.gateway.setAccounts({ resume: [account] });
  }

  async placeAccount(account: AccountId, settings: Pick<AccountSettings, 'cordon' | 'isolation'>): Promise<void> {
    this.#deps.cordons.set(account, settings);
    await this.applyCordons(account);
  }

  /** Requests go to the cordons that there are now; what runs elsewhere of the account finishes. */
  async applyCordons(account: AccountId): Promise<void> {
    const { cells, cordons, gateway } = this.#deps;
    await gateway.setCordons(cordons.table());
    await this.reload(account, undefined);
    cells.releaseUnused((cordon) => cordons.isUsed(cordon));
  }

  async heap({ account, worker }: WorkerKey): Promise<readonly InstanceHeap[]> {
    const answers = await Promise.allSettled(
      this.#deps.cells.live.map(async (cell) => {
        const heaps = CellHeaps.parse(await cell.heap({ account, worker }));
        return heaps.map((heap) => ({ cell: cell.id, ...heap }));
      }),
    );
    // A cell that does not answer is on its way out.
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  }

  profile(key: WorkerKey, options: { seconds: number; signal: AbortSignal }): Promise<WorkerProfile> {
    return this.#profiles.take(key, options);
  }

  /** Before the platform stops: what would keep it up for long is given up. */
  close(): void {
    this.#profiles.close();
  }

  async fireScheduled(
    account: AccountId,
    worker: WorkerName,
    event: { cron: string; scheduledTime: number; missed: boolean },
  ): Promise<ScheduledResult> {
    const { registry } = this.#deps;
    if ((await registry.account(account))?.status === 'suspended') {
      throw new PlatformError('accountSuspended', `Cannot fire a scheduled event: account '${account}' is suspended`);
    }
    const state = await registry.route(account, worker);
    const version = servingVersion(state?.route.shares);
    if (version === undefined) {
      throw new PlatformError('workerNotFound', `Cannot fire a scheduled event: no version of "${worker}" is deployed`);
    }
    const { cells, cordons, mapStacks, traceRatio } = this.#deps;
    const cordon = cordons.of({ account, worker });
    const cell = await cells.pick(cordon, preferredCell(`${worker}.${account}`, cells.idsOf(cordon)));
    const ray = randomBytes(8).toString('hex');
    const traceId = Math.random() < traceRatio ? newTraceId() : undefined;
    const record = parseRecord(await cell.scheduled({ version, ray, traceId, ...event }));
    if (record === undefined) throw new Error('Cannot tell how a scheduled event went: the cell sent no record');
    return (await mapStacks(record as unknown as InvocationRecord)) ?? record;
  }
}
