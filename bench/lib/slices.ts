/**
 * Load in short turns: a few hundred milliseconds for one server, then the next, over connections that stay open. What
 * disturbs a shared machine for a second then disturbs all of them alike, so small differences can be seen.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Target } from './load.ts';
import { exactCpuUs } from './proc.ts';

const GENERATOR = fileURLToPath(new URL('slice-generator.ts', import.meta.url));

export interface SlicesOptions {
  /** The targets of each server, asked in turn. */
  readonly servers: readonly (readonly Target[])[];
  readonly connections: number;
}

export interface Slice {
  readonly server: number;
  readonly ms: number;
}

export interface SliceResult {
  readonly requests: number;
  readonly failed: number;
}

export class Slices implements Disposable {
  readonly #generator: ChildProcess;

  private constructor(generator: ChildProcess) {
    this.#generator = generator;
  }

  static async open(options: SlicesOptions): Promise<Slices> {
    const generator = fork(GENERATOR, [JSON.stringify(options)]);
    await once(generator, 'message');
    return new Slices(generator);
  }

  /** CPU time in µs that each group of processes used per request of this turn. Throws when an answer was no good. */
  async measure(slice: Slice, groups: readonly (readonly number[])[]): Promise<number[]> {
    const before = groups.map(exactCpuUs);
    this.#generator.send(slice);
    const [{ requests, failed }] = (await once(this.#generator, 'message')) as [SliceResult];
    if (requests === 0 || failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
    return groups.map((pids, at) => (exactCpuUs(pids) - (before[at] ?? 0)) / requests);
  }

  [Symbol.dispose](): void {
    this.#generator.kill();
  }
}
