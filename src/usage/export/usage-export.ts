/** Tells another system what accounts have used, all of it, once. */
import type { AccountId } from '../../ids.ts';
import type { ExportKey, ExportProgress, Exports, Ledger, PendingExport } from '../../store/index.ts';
import { type Month, readMonthTotals, toMonth } from '../invoices/index.ts';
import type { UsageTotals } from '../totals.ts';
import { type Meter, METERS, type Reading, type UsageExporter } from './exporter.ts';

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 10 * 60_000; // Stripe is asked again within the hour in any case, and not by all at once

export interface ExportAccount {
  readonly account: AccountId;
  readonly customer: string;
  /** Whether the CPU time of cold starts counts, by the plan of now. */
  readonly billsStarts: () => Promise<boolean>;
}

export interface UsageExportDeps {
  readonly ledger: Pick<Ledger, 'sums'>;
  readonly exports: Exports;
  readonly exporter: UsageExporter;
  readonly accounts: readonly ExportAccount[];
  /** Between two rounds. */
  readonly intervalMs: number;
  readonly onWarning: (message: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly random: () => number;
  readonly randomUUID: () => string;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The other side cannot be reached: nothing else need be tried now. */
class Unavailable extends Error {}

export class UsageExport {
  readonly #deps: UsageExportDeps;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(deps: UsageExportDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** What is on its way is given up, to be sent again, as it was, by the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  /**
   * All that has been added this month and the one before, whose last usage may have come late. Throws when the other side is
   * not there; what was not told then is by the next round.
   */
  async round(): Promise<void> {
    const { now, accounts, ledger } = this.#deps;
    const current = toMonth(now());
    const months = [toMonth(current.since - 1), current];
    for (const { account, customer, billsStarts } of accounts) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other: there is no hurry
      const withStarts = await billsStarts();
      for (const month of months) {
        if (this.#closing.signal.aborted) return;
        // oxlint-disable-next-line no-await-in-loop
        const totals = await readMonthTotals(ledger, account, month);
        for (const meter of METERS) {
          const key = { account, month: month.name, meter };
          // oxlint-disable-next-line no-await-in-loop
          await this.#tell(key, { customer, meter, month, total: toValue(meter, totals, withStarts) });
        }
      }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        await this.round();
        failures = 0;
      } catch (error) {
        failures += 1;
        if (!signal.aborted) this.#deps.onWarning(`Cannot export usage: ${(error as Error).message}; trying again`);
      }
      // oxlint-disable-next-line no-await-in-loop
      await this.#deps.sleep(failures === 0 ? this.#deps.intervalMs : this.#backoff(failures), signal);
    }
  }

  #backoff(failures: number): number {
    const full = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
    return full / 2 + (full / 2) * this.#deps.random();
  }

  async #tell(
    key: ExportKey,
    { total, month, ...to }: { total: number; month: Month; customer: string; meter: Meter },
  ): Promise<void> {
    const { exports, now, randomUUID } = this.#deps;
    let progress = await exports.get(key);
    if (progress.pending !== undefined) {
      const left = await this.#deliver(key, progress, to);
      if (left === undefined) return;
      progress = left;
    }
    const value = total - progress.exported;
    if (value <= 0) return;
    // Late usage belongs to the month in which it was, so the time must be in it.
    const at = Math.floor(Math.min(now(), month.until - 1) / 1_000);
    await this.#deliver(key, { ...progress, pending: { identifier: randomUUID(), value, at } }, to);
  }

  /** What is exported now; nothing when the reading was refused. Throws Unavailable. */
  async #deliver(
    key: ExportKey,
    { exported, pending }: ExportProgress,
    to: Pick<Reading, 'customer' | 'meter'>,
  ): Promise<ExportProgress | undefined> {
    const { exports, exporter, now, onWarning } = this.#deps;
    if (pending === undefined) return { exported };
    const done = { exported: exported + pending.value };
    const { identifier, value, at, unknownSince } = pending;
    if (unknownSince !== undefined && now() - unknownSince > exporter.identifiersKeptMs) {
      // Sending it could bill it twice: the other side may have forgotten the identifier.
      onWarning(
        `Usage of ${describe(key)}: ${value} may or may not have been taken (identifier ${identifier}); look there`,
      );
      await exports.put(key, done);
      return done;
    }
    const sent: PendingExport = { identifier, value, at, unknownSince: unknownSince ?? now() };
    await exports.put(key, { exported, pending: sent }); // before it is sent: a crash must not forget it
    const delivery = await exporter.send({ ...to, identifier, value, at }, this.#closing.signal);
    if (delivery.outcome === 'taken') {
      await exports.put(key, done);
      return done;
    }
    if (delivery.outcome !== 'unknown' && unknownSince === undefined) await exports.put(key, { exported });
    if (delivery.outcome !== 'refused') throw new Unavailable(`${describe(key)}: ${delivery.reason}`);
    onWarning(`Usage of ${describe(key)} was refused: ${delivery.reason}`);
    return undefined;
  }
}

function toValue(meter: Meter, { requests, cpuUs, startCpuUs }: UsageTotals, withStarts: boolean): number {
  // Rounded down over the month: what is below a millisecond now is told when it has become one.
  return meter === 'requests' ? requests : Math.floor((cpuUs + (withStarts ? startCpuUs : 0)) / 1_000);
}

function describe({ account, month, meter }: ExportKey): string {
  return `${account}, ${month}, ${meter}`;
}
