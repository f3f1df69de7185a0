/**
 * Where the entries of an instance run: inline on the cell's own thread, or on the pool.
 *
 * Inline is four times cheaper when many tenants take turns (no thread is woken), but an entry that runs long keeps
 * everybody else waiting. So: whoever is not yet known runs on the pool; short ones move inline; a long entry moves its
 * Worker back to the pool until it has been short for a while. And whose limit is above the usual stays on the pool: one
 * entry inline may take all of it.
 */
import type { VersionId } from '../ids.ts';
import { DEFAULT_LIMITS } from '../limits.ts';

const LONG_US = 5_000; // what a neighbour may wait for one entry of somebody else
const SHORT_ENTRIES_TO_BE_KNOWN = 2; // the first ones compile code and are slower than the rest
const SHORT_ENTRIES_TO_BE_FORGIVEN = 50;
const REMEMBERED_VERSIONS = 10_000;

export type Place = 'inline' | 'unknown' | 'long';

export class Placement {
  #place: Place = 'unknown';
  #shortEntries = 0;

  get place(): Place {
    return this.#place;
  }

  /** For a Worker whose CPU limit is `cpuMs`. */
  placeWithin(cpuMs: number): Place {
    return this.#place === 'inline' && cpuMs > DEFAULT_LIMITS.cpuMs ? 'long' : this.#place;
  }

  /** Learns from an entry that used `cpuUs`. */
  learn(cpuUs: number): void {
    if (cpuUs >= LONG_US) {
      this.#place = 'long';
      this.#shortEntries = 0;
      return;
    }
    if (this.#place === 'inline') return;
    this.#shortEntries++;
    const needed = this.#place === 'unknown' ? SHORT_ENTRIES_TO_BE_KNOWN : SHORT_ENTRIES_TO_BE_FORGIVEN;
    if (this.#shortEntries >= needed) this.#place = 'inline';
  }
}

/** What was learned of versions, beyond the life of an instance: a spinner does not become unknown by being killed. */
export class Placements {
  readonly #known = new Map<VersionId, Placement>();

  of(version: VersionId): Placement {
    const known = this.#known.get(version);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED_VERSIONS) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    const placement = new Placement();
    this.#known.set(version, placement);
    return placement;
  }
}
