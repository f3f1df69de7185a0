import type { Outcome, StartRecord, VersionSpec } from '../model.ts';

/** One start of an instance, for its record. */
export class Start {
  /** CPU time of the last attempt, in µs. */
  cpuUs = 0;
  readonly #spec: VersionSpec;
  readonly #at: number;
  readonly #startedAtMs = performance.now();
  readonly #cold: boolean;

  constructor(spec: VersionSpec, { at, cold }: { at: number; cold: boolean }) {
    this.#spec = spec;
    this.#at = at;
    this.#cold = cold;
  }

  toRecord(outcome: Outcome, memoryBytes: number): StartRecord {
    const { account, worker, id: version } = this.#spec;
    return {
      event: 'start',
      account,
      worker,
      version,
      outcome,
      cpuUs: Math.round(this.cpuUs),
      wallMs: Math.round((performance.now() - this.#startedAtMs) * 1e3) / 1e3,
      at: this.#at,
      memoryBytes,
      cold: this.#cold,
    };
  }
}
