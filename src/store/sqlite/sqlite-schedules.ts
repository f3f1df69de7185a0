import type { StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import type { AccountId, WorkerName } from '../../ids.ts';
import {
  type DueSchedule,
  type RunEnd,
  RUNS_KEPT,
  type Schedule,
  type ScheduleClaim,
  type ScheduledRun,
  type Schedules,
} from '../schedules.ts';
import type { Database } from './database.ts';
import type { Row } from './rows.ts';

const SCHEDULE_OF = `FROM schedules s JOIN workers w ON w.id = s.worker WHERE w.account = ? AND w.name = ?`;
const DUE_COLUMNS = 's.id, w.account, w.name, s.cron, s.next_due';

const SQL = {
  worker: 'SELECT id FROM workers WHERE account = ? AND name = ?',
  list: `SELECT s.* ${SCHEDULE_OF} ORDER BY s.position`,
  runs: `SELECT r.* FROM schedule_runs r JOIN schedules s ON s.id = r.schedule JOIN workers w ON w.id = s.worker
    WHERE w.account = ? AND w.name = ? ORDER BY r.due DESC`,
  put: `INSERT INTO schedules (worker, cron, position, created_on, modified_on, next_due) VALUES (?, ?, ?, ?4, ?4, ?)
    ON CONFLICT (worker, cron) DO UPDATE SET position = excluded.position, modified_on = excluded.modified_on`,
  remove: 'DELETE FROM schedules WHERE worker = ? AND cron NOT IN (SELECT value FROM json_each(?))',
  due: `SELECT ${DUE_COLUMNS} FROM schedules s JOIN workers w ON w.id = s.worker WHERE s.next_due <= ?
    ORDER BY row_number() OVER (PARTITION BY w.account ORDER BY s.next_due, s.id), s.next_due, s.id LIMIT ?`,
  ranAfter: `SELECT ${DUE_COLUMNS} FROM schedules s JOIN workers w ON w.id = s.worker WHERE s.last_due > ?
    ORDER BY s.id LIMIT ?`,
  take: 'UPDATE schedules SET next_due = ?, last_due = ? WHERE id = ? AND next_due = ?',
  begin: `INSERT INTO schedule_runs (schedule, due, missed, started_on) VALUES (?, ?, ?, ?)
    ON CONFLICT (schedule, due) DO NOTHING`,
  prune: `DELETE FROM schedule_runs WHERE schedule = ?1 AND due <
    (SELECT min(due) FROM (SELECT due FROM schedule_runs WHERE schedule = ?1 ORDER BY due DESC LIMIT ${RUNS_KEPT}))`,
  forget: 'DELETE FROM schedule_runs WHERE schedule = ? AND due >= ?',
  end: 'UPDATE schedule_runs SET outcome = ?, cpu_us = ?, wall_ms = ? WHERE schedule = ? AND due = ?',
  abandon: `UPDATE schedule_runs SET outcome = 'unknown' WHERE outcome IS NULL`,
} as const;

/** The Schedules in the file of a Database that somebody else closes. */
export class SqliteSchedules implements Schedules {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.handle.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  async replace(
    account: AccountId,
    worker: WorkerName,
    { crons, now }: { crons: readonly { cron: string; nextDue: number }[]; now: number },
  ): Promise<Schedule[]> {
    this.#database.transact(() => {
      const id = this.#statements.worker.get(account, worker)?.['id'];
      if (id === undefined) throw new PlatformError('workerNotFound', `There is no Worker '${worker}'`);
      this.#statements.remove.run(id, JSON.stringify(crons.map(({ cron }) => cron)));
      for (const [position, { cron, nextDue }] of crons.entries()) {
        this.#statements.put.run(id, cron, position, now, nextDue);
      }
    });
    return this.#list(account, worker);
  }

  async list(account: AccountId, worker: WorkerName): Promise<Schedule[]> {
    return this.#list(account, worker);
  }

  async due(now: number, limit: number): Promise<DueSchedule[]> {
    return this.#statements.due.all(now, limit).map(toDue);
  }

  async ranAfter(ms: number, limit: number): Promise<DueSchedule[]> {
    return this.#statements.ranAfter.all(ms, limit).map(toDue);
  }

  async claim(claims: readonly ScheduleClaim[]): Promise<boolean[]> {
    return this.#database.transact(() => claims.map((claim) => this.#claim(claim)));
  }

  async skip(skips: readonly Pick<ScheduleClaim, 'id' | 'nextDue' | 'next'>[]): Promise<void> {
    this.#database.transact(() => {
      for (const { id, nextDue, next } of skips) {
        if (this.#statements.take.run(next, null, id, nextDue).changes > 0) this.#statements.forget.run(id, next);
      }
    });
  }

  async endRuns(ends: readonly RunEnd[]): Promise<void> {
    this.#database.transact(() => {
      for (const { id, due, outcome, cpuUs, wallMs } of ends) {
        this.#statements.end.run(outcome, Math.round(cpuUs), wallMs, id, due);
      }
    });
  }

  async abandonRuns(): Promise<void> {
    this.#statements.abandon.run();
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #claim({ id, nextDue, due, missed, next, now }: ScheduleClaim): boolean {
    const { take, begin, prune } = this.#statements;
    if (take.run(next, due, id, nextDue).changes === 0) return false;
    if (begin.run(id, due, Number(missed), now).changes === 0) return false;
    prune.run(id);
    return true;
  }

  #list(account: AccountId, worker: WorkerName): Schedule[] {
    const runs = Map.groupBy(this.#statements.runs.all(account, worker), (row) => row['schedule']);
    return this.#statements.list.all(account, worker).map((row) => ({
      cron: String(row['cron']),
      createdOn: Number(row['created_on']),
      modifiedOn: Number(row['modified_on']),
      nextDue: Number(row['next_due']),
      runs: (runs.get(row['id']) ?? []).map(toRun),
    }));
  }
}

function toDue(row: Row): DueSchedule {
  return {
    id: Number(row['id']),
    account: String(row['account']) as AccountId,
    worker: String(row['name']) as WorkerName,
    cron: String(row['cron']),
    nextDue: Number(row['next_due']),
  };
}

function toRun(row: Row): ScheduledRun {
  const { outcome, cpu_us: cpuUs, wall_ms: wallMs } = row;
  return {
    due: Number(row['due']),
    missed: row['missed'] === 1,
    startedOn: Number(row['started_on']),
    ...(outcome !== null && { outcome: String(outcome) }),
    ...(cpuUs !== null && { cpuUs: Number(cpuUs), wallMs: Number(wallMs) }),
  };
}
