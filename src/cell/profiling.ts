/**
 * A CPU profile of one Worker, in a cell that is there for that alone: its instances are made to be profiled, and run on
 * the cell's own thread whatever they use.
 */
import type { VersionId } from '../ids.ts';
import type { VersionSpec } from '../model.ts';
import type { StartProfile } from './protocol.ts';

const MAX_INSTANCES = 16; // a Worker that passes a limit at each request makes a new one for each

/** What of an instance a profile needs. */
export interface Profiled {
  readonly spec: Pick<VersionSpec, 'id'>;
  readonly cpuUs: number;
  startProfile(intervalUs: number): void;
  stopProfile(): Promise<string>;
}

export interface InstanceProfile {
  readonly version: VersionId;
  readonly bytes: number;
  /** As JSON. Undefined when it is larger than was asked for. */
  readonly json: Buffer | undefined;
}

export class Profiling {
  readonly #target: StartProfile;
  /** Those that have computed most. */
  #instances: Profiled[] = [];

  constructor(target: StartProfile) {
    this.#target = target;
  }

  concerns({ account, worker }: Pick<VersionSpec, 'account' | 'worker'>): boolean {
    return account === this.#target.account && worker === this.#target.worker;
  }

  /** An instance that was made for it is about to serve. */
  add(instance: Profiled): void {
    instance.startProfile(this.#target.intervalUs);
    if (this.#instances.length >= MAX_INSTANCES) this.#instances = this.#byUse().slice(0, MAX_INSTANCES - 1);
    this.#instances.push(instance);
  }

  /** Ends it, and resolves to what it shows of the instance that has computed most. Undefined when there was none. */
  async stop(): Promise<InstanceProfile | undefined> {
    const profiles = await Promise.allSettled(
      this.#byUse().map(async (instance) => ({ version: instance.spec.id, text: await instance.stopProfile() })),
    );
    // One that has passed its memory limit has taken its profile along.
    const found = profiles.find((one) => one.status === 'fulfilled')?.value;
    if (found === undefined) return undefined;
    const json = Buffer.from(found.text);
    const bytes = json.byteLength;
    return { version: found.version, bytes, json: bytes <= this.#target.maxBytes ? json : undefined };
  }

  #byUse(): Profiled[] {
    return this.#instances.toSorted((a, b) => b.cpuUs - a.cpuUs);
  }
}
