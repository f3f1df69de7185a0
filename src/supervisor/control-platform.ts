/** What the control API can make the platform do: check code, switch routes, fire events. */
import { randomBytes } from 'node:crypto';
import type { CheckResult, ControlPlatform } from '../control/index.ts';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Outcome, Route, VersionCode } from '../model.ts';
import type { Registry } from '../store/index.ts';
import { servingVersion } from './cell-handlers.ts';
import type { Cells } from './cells.ts';
import type { GatewayProcess } from './gateway-process.ts';

export interface ControlPlatformDeps {
  readonly cells: Cells;
  readonly gateway: GatewayProcess;
  readonly registry: Registry;
  readonly now: () => number;
}

export class SupervisedPlatform implements ControlPlatform {
  readonly #deps: ControlPlatformDeps;
  /** What serves now, to know which versions a deployment retires. Only Workers published since the start. */
  readonly #serving = new Map<string, readonly VersionId[]>();

  constructor(deps: ControlPlatformDeps) {
    this.#deps = deps;
  }

  async check(code: VersionCode): Promise<CheckResult> {
    const cell = await this.#deps.cells.pick();
    try {
      return await cell.check(code);
    } catch {
      // The code took the cell down with it (some built-ins of V8 cannot be stopped). That is its own fault.
      return {
        ok: false,
        message: 'Script startup ended the process that checked it: it could not be stopped in time.',
      };
    }
  }

  async publish(route: Route): Promise<void> {
    const { cells, gateway } = this.#deps;
    const versions = route.shares.filter((share) => share.percentage > 0).map((share) => share.version);
    // Each cell makes its first instance before any request can arrive. One that fails to is not waited for: it will
    // make it at the first request.
    await Promise.allSettled(cells.live.flatMap((cell) => versions.map((version) => cell.prepare(version))));
    const retired = (this.#serving.get(keyOf(route)) ?? []).filter((version) => !versions.includes(version));
    await gateway.setRoutes([route]);
    this.#serving.set(keyOf(route), versions);
    const { account, worker } = route;
    const version = servingVersion(route.shares);
    for (const cell of cells.live) cell.deployed({ account, worker, version, retired });
  }

  async publishMany(routes: readonly Route[]): Promise<void> {
    await this.#deps.gateway.setRoutes(routes);
  }

  async withdraw(account: AccountId, worker: WorkerName): Promise<void> {
    const { cells, gateway } = this.#deps;
    await gateway.removeRoute(account, worker);
    const key = keyOf({ account, worker });
    const retired = this.#serving.get(key) ?? [];
    this.#serving.delete(key);
    for (const cell of cells.live) cell.deployed({ account, worker, version: undefined, retired });
  }

  async fireScheduled(
    account: AccountId,
    worker: WorkerName,
    event: { cron: string; scheduledTime: number },
  ): Promise<{ outcome: Outcome }> {
    const state = await this.#deps.registry.route(account, worker);
    const version = servingVersion(state?.route.shares);
    if (version === undefined) {
      throw new PlatformError('workerNotFound', `Cannot fire a scheduled event: no version of "${worker}" is deployed`);
    }
    const cell = await this.#deps.cells.pick();
    const ray = randomBytes(8).toString('hex');
    return { outcome: await cell.scheduled({ version, ray, ...event }) };
  }
}

function keyOf({ account, worker }: { account: AccountId; worker: WorkerName }): string {
  return `${worker}.${account}`;
}
