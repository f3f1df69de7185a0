/**
 * The same columns three times: what is kept for long is kept in few rows. `time` is the number of minutes, hours or days
 * since 1970. `invocations` counts those through service bindings too.
 */
const sums = (name: string): string => `
  CREATE TABLE ${name} (
    account TEXT NOT NULL, time INTEGER NOT NULL, worker TEXT NOT NULL, event TEXT NOT NULL, outcome TEXT NOT NULL,
    requests INTEGER NOT NULL, errors INTEGER NOT NULL, cpu_us INTEGER NOT NULL, start_cpu_us INTEGER NOT NULL,
    wall_us INTEGER NOT NULL, wall_ms_1 INTEGER NOT NULL, wall_ms_100 INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, subrequests INTEGER NOT NULL,
    cold_starts INTEGER NOT NULL, service_calls INTEGER NOT NULL,
    PRIMARY KEY (account, time, worker, event, outcome)
  ) STRICT, WITHOUT ROWID;
`;

/** `cells`: which batches have been taken. All numbers up to `up_to`, and of later ones those in `beyond`, as JSON. */
const LEDGER = `
  CREATE TABLE cells (
    cell TEXT PRIMARY KEY, up_to INTEGER NOT NULL, beyond TEXT NOT NULL, seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ${sums('minutes')} ${sums('hours')} ${sums('days')}
  CREATE INDEX minutes_by_time ON minutes (time);
  CREATE INDEX hours_by_time ON hours (time);
`;

export const LEDGER_MIGRATIONS = [{ name: 'ledger', sql: LEDGER }];
