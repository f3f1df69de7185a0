import type { StatementSync } from 'node:sqlite';
import type { AccountId, WorkerName } from '../../../ids.ts';
import type { Outcome } from '../../../model.ts';
import { addTotals, createTotals, USAGE_FIELDS, type UsageOutcome, type UsageTotals } from '../../../usage/totals.ts';
import {
  HOURS_KEPT_DAYS,
  MINUTES_KEPT_DAYS,
  type UsageBatch,
  type UsageEntry,
  type UsageQuery,
  type UsageSum,
} from '../../ledger.ts';
import type { Database } from '../database.ts';
import type { Row } from '../rows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const CELLS_KEPT_MS = DAY_MS; // no batch of a cell comes so long after its last one
const MAX_GAPS = 1_000; // numbers taken ahead of one that is missing; a cell sends a few dozen

const COLUMNS: Readonly<Record<keyof UsageTotals, string>> = {
  requests: 'requests',
  errors: 'errors',
  cpuUs: 'cpu_us',
  startCpuUs: 'start_cpu_us',
  wallUs: 'wall_us',
  wallMs1: 'wall_ms_1',
  wallMs100: 'wall_ms_100',
  bytesIn: 'bytes_in',
  bytesOut: 'bytes_out',
  subrequests: 'subrequests',
  coldStarts: 'cold_starts',
  serviceCalls: 'service_calls',
};
const names = USAGE_FIELDS.map((field) => COLUMNS[field]);

const upsert = (table: string) => `INSERT INTO ${table} (account, time, worker, event, outcome, ${names.join(', ')})
  VALUES (?, ?, ?, ?, ?, ${names.map(() => '?').join(', ')})
  ON CONFLICT DO UPDATE SET ${names.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`;
// A row for each outcome: at most eight for each Worker and step.
const select = (table: string, time = 'time') => `SELECT ${time} AS step, worker, outcome,
  ${names.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM ${table}
  WHERE account = ? AND time >= ? AND time < ? AND (?4 IS NULL OR worker = ?4)
  GROUP BY step, worker, outcome ORDER BY step, worker`;
const MONTH = `unixepoch(time * 86400, 'unixepoch', 'start of month')`;

const SQL = {
  cell: 'SELECT up_to, beyond FROM cells WHERE cell = ?',
  putCell: 'INSERT OR REPLACE INTO cells (cell, up_to, beyond, seen_at) VALUES (?, ?, ?, ?)',
  sweepCells: 'DELETE FROM cells WHERE seen_at < ?',

  addMinute: upsert('minutes'),
  addHour: upsert('hours'),
  addDay: upsert('days'),
  sweepMinutes:
    'DELETE FROM minutes WHERE (account, time, worker, event, outcome) IN (SELECT account, time, worker, event, outcome FROM minutes WHERE time < ? LIMIT ?)',
  sweepHours:
    'DELETE FROM hours WHERE (account, time, worker, event, outcome) IN (SELECT account, time, worker, event, outcome FROM hours WHERE time < ? LIMIT ?)',

  minutes: select('minutes'),
  hours: select('hours'),
  days: select('days'),
  months: select('days', MONTH),

  deleteMinutes: 'DELETE FROM minutes WHERE account = ?',
  deleteHours: 'DELETE FROM hours WHERE account = ?',
  deleteDays: 'DELETE FROM days WHERE account = ?',
} as const;

const STEPS = {
  minute: { statement: 'minutes', ms: MINUTE_MS, toMs: MINUTE_MS },
  hour: { statement: 'hours', ms: HOUR_MS, toMs: HOUR_MS },
  day: { statement: 'days', ms: DAY_MS, toMs: DAY_MS },
  month: { statement: 'months', ms: DAY_MS, toMs: 1_000 },
} as const;

export type LedgerOperation = Exclude<keyof LedgerTables, 'sweep'>;

/** The ledger in an open file. Everything runs in one go; who calls puts a transaction around it. */
export class LedgerTables {
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;
  readonly #now: () => number;

  /** `now`: ms since 1970. */
  constructor(database: Database, now: () => number) {
    this.#statements = database.prepare(SQL);
    this.#now = now;
    // Of many WebSockets that stay open, the wall time of a month passes what a double holds exactly.
    for (const { statement } of Object.values(STEPS)) this.#statements[statement].setReadBigInts(true);
  }

  take({ cell, number, minute, entries }: UsageBatch): boolean {
    if (!this.#claim(cell, number)) return false;
    for (const entry of entries) this.#add(entry, minute);
    return true;
  }

  sums({ account, worker, since, until, by, merged = false }: UsageQuery, limit: number): UsageSum[] {
    const { statement, ms, toMs } = STEPS[by];
    const [from, to] = [Math.ceil(since / ms), Math.ceil(until / ms)];
    const sums: UsageSum[] = [];
    let last: { time: number; worker: string; sum: ReturnType<typeof toSum> } | undefined;
    for (const row of this.#statements[statement].iterate(account, from, to, worker ?? null)) {
      const time = Number(row['step']) * toMs;
      const name = merged ? '' : String(row['worker']);
      if (last === undefined || last.time !== time || last.worker !== name) {
        if (sums.length === limit) break;
        last = { time, worker: name, sum: toSum(time, name) };
        sums.push(last.sum);
      }
      addRow(last.sum, row);
    }
    return sums;
  }

  deleteAccount(account: AccountId): void {
    this.#statements.deleteMinutes.run(account);
    this.#statements.deleteHours.run(account);
    this.#statements.deleteDays.run(account);
  }

  /** Removes up to `limit` rows of each kind that are too old. Whether there may be more. */
  sweep(limit: number): boolean {
    const { sweepCells, sweepMinutes, sweepHours } = this.#statements;
    const now = this.#now();
    sweepCells.run(now - CELLS_KEPT_MS);
    const minutes = sweepMinutes.run(Math.floor((now - MINUTES_KEPT_DAYS * DAY_MS) / MINUTE_MS), limit).changes;
    const hours = sweepHours.run(Math.floor((now - HOURS_KEPT_DAYS * DAY_MS) / HOUR_MS), limit).changes;
    return Number(minutes) === limit || Number(hours) === limit;
  }

  /** Whether the batch has not been taken yet; it has, from here on. */
  #claim(cell: string, number: number): boolean {
    const { cell: find, putCell } = this.#statements;
    const row = find.get(cell);
    let upTo = Number(row?.['up_to'] ?? 0);
    const beyond = new Set(row === undefined ? [] : (JSON.parse(String(row['beyond'])) as number[]));
    if (number <= upTo || beyond.has(number)) return false;
    if (beyond.size >= MAX_GAPS)
      throw new Error(`Cannot take batch ${number} of cell ${cell}: too many before it lack`);
    beyond.add(number);
    while (beyond.delete(upTo + 1)) upTo++;
    putCell.run(cell, upTo, JSON.stringify([...beyond]), this.#now());
    return true;
  }

  #add({ account, worker, event, outcome, totals }: UsageEntry, minute: number): void {
    const { addMinute, addHour, addDay } = this.#statements;
    const numbers = USAGE_FIELDS.map((field) => totals[field]);
    addMinute.run(account, minute, worker, event, outcome, ...numbers);
    addHour.run(account, Math.floor(minute / 60), worker, event, outcome, ...numbers);
    addDay.run(account, Math.floor(minute / (24 * 60)), worker, event, outcome, ...numbers);
  }
}

function toSum(
  time: number,
  worker: string,
): { outcomes: Partial<Record<Outcome, number>> } & Omit<MutableSum, 'outcomes'> {
  return { time, worker: worker as WorkerName, totals: createTotals(), outcomes: {} };
}

type MutableSum = Omit<UsageSum, 'totals'> & { readonly totals: ReturnType<typeof createTotals> };

function addRow(sum: ReturnType<typeof toSum>, row: Row): void {
  const totals = createTotals();
  for (const field of USAGE_FIELDS) totals[field] = Number(row[COLUMNS[field]]);
  addTotals(sum.totals, totals);
  const outcome = row['outcome'] as UsageOutcome;
  const invocations = totals.requests + totals.serviceCalls;
  if (outcome !== 'running' && invocations > 0) sum.outcomes[outcome] = (sum.outcomes[outcome] ?? 0) + invocations;
}
