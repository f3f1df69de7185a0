/** How long the host took to answer, by what was asked. Until the head of the answer; who gave up is not counted. */
import { LatencyCounts, type LatencySample } from '../latency-counts.ts';
import type { ResourceKind } from './resources.ts';

export type HostCallKind = ResourceKind | 'network' | 'service';

export class HostCallTimes {
  readonly #kinds = new Map<HostCallKind, LatencyCounts>();

  note(kind: HostCallKind, ms: number): void {
    let counts = this.#kinds.get(kind);
    if (counts === undefined) this.#kinds.set(kind, (counts = new LatencyCounts()));
    counts.note(ms);
  }

  /** Since the last call; kinds that were not asked for are left out. */
  take(): [kind: HostCallKind, sample: LatencySample][] {
    return [...this.#kinds].filter(([, { count }]) => count > 0).map(([kind, counts]) => [kind, counts.take()]);
  }
}
