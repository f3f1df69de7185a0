/**
 * What a cell tells of itself once a second. Of its instances it tells what has changed: thousands that are idle cost
 * neither bytes nor time.
 */
import type { Instance } from './instance.ts';
import { type Instances, bytesOf } from './instances.ts';
import { LoopDelay } from './loop-delay.ts';
import { type MadeInstance, STATS_LIMITS, type StatsMessage, type UsedInstance } from './stats-message.ts';
import type { HostCallTimes } from './host-call-times.ts';

const EVERY_MS = 1_000;

export interface StatsSources {
  readonly instances: Instances;
  readonly hostCalls: HostCallTimes;
  readonly spares: () => number;
  /** Invocations that have not ended. */
  readonly running: () => number;
  /** All so far. */
  readonly coldStarts: () => number;
}

/** What was told of an instance. */
interface Told {
  readonly id: number;
  bytes: number;
  cpuUs: number;
  requests: number;
}

export class StatsReporter {
  readonly #sources: StatsSources;
  readonly #loopDelay = new LoopDelay();
  readonly #timer: NodeJS.Timeout;
  readonly #told = new Map<Instance, Told>();
  #lastId = 0;
  /** Where to begin, so that with too many for one message each has its turn. */
  #nextUsed = 0;
  #evicted = 0;
  #coldStarts = 0;

  constructor(sources: StatsSources, send: (message: StatsMessage) => void) {
    this.#sources = sources;
    this.#timer = setInterval(() => send(this.take()), EVERY_MS);
    this.#timer.unref();
  }

  /** What is new since the last call. */
  take(): StatsMessage {
    const { instances, hostCalls, spares, running, coldStarts } = this.#sources;
    const evicted = instances.evicted - this.#evicted;
    const cold = coldStarts() - this.#coldStarts;
    this.#evicted += evicted;
    this.#coldStarts += cold;
    return {
      memoryBytes: memoryOfProcess(),
      spares: spares(),
      instances: instances.live,
      running: running(),
      evicted,
      coldStarts: cold,
      loopDelay: this.#loopDelay.take(),
      hostCalls: hostCalls.take(),
      evictions: instances.takeEvictions(),
      gone: this.#takeGone(),
      ...this.#takeChanges(),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loopDelay.close();
  }

  #takeGone(): number[] {
    const gone: number[] = [];
    for (const [instance, { id }] of this.#told) {
      if (gone.length === STATS_LIMITS.gone) break;
      if (!instance.disposed) continue;
      this.#told.delete(instance);
      gone.push(id);
    }
    return gone;
  }

  #takeChanges(): { made: MadeInstance[]; used: UsedInstance[] } {
    const made: MadeInstance[] = [];
    const used: UsedInstance[] = [];
    const now = performance.now();
    const all = [...this.#sources.instances.all()];
    const begin = this.#nextUsed;
    this.#nextUsed = 0;
    for (let count = 0; count < all.length; count++) {
      const at = (begin + count) % all.length;
      const instance = all[at]!;
      let told = this.#told.get(instance);
      if (told === undefined) {
        if (made.length === STATS_LIMITS.made) continue;
        told = { id: ++this.#lastId, bytes: 0, cpuUs: 0, requests: 0 };
        this.#told.set(instance, told);
        const { account, worker, id: version } = instance.spec;
        made.push([told.id, account, worker, version, Math.round(now - instance.madeAtMs)]);
      }
      if (used.length === STATS_LIMITS.used) continue;
      const change = takeChange(instance, told);
      if (change === undefined) continue;
      used.push(change);
      if (used.length === STATS_LIMITS.used) this.#nextUsed = at + 1;
    }
    return { made, used };
  }
}

/** What it used since it was last told of; undefined when that is nothing, and its memory is what it was. */
function takeChange(instance: Instance, told: Told): UsedInstance | undefined {
  const { cpuUs, requests } = instance;
  const bytes = bytesOf(instance);
  const usedUs = Math.round(cpuUs - told.cpuUs);
  const answered = requests - told.requests;
  if (usedUs === 0 && answered === 0 && bytes === told.bytes) return undefined;
  told.cpuUs += usedUs;
  told.requests = requests;
  told.bytes = bytes;
  return [told.id, bytes, usedUs, answered];
}

function memoryOfProcess(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return 0; // a confined cell has no /proc to look it up in
  }
}
