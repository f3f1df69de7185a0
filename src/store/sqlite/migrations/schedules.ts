/** A run is there from its claim on; `outcome` NULL until its end. `last_due` tells of a clock that was put back. */
export const SCHEDULES = `
  CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    worker INTEGER NOT NULL REFERENCES workers (id) ON DELETE CASCADE,
    cron TEXT NOT NULL, position INTEGER NOT NULL,
    created_on INTEGER NOT NULL, modified_on INTEGER NOT NULL,
    next_due INTEGER NOT NULL, last_due INTEGER,
    UNIQUE (worker, cron)
  ) STRICT;
  CREATE INDEX schedules_by_due ON schedules (next_due);
  CREATE INDEX schedules_by_last ON schedules (last_due);
  CREATE TABLE schedule_runs (
    schedule INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    due INTEGER NOT NULL, missed INTEGER NOT NULL, started_on INTEGER NOT NULL,
    outcome TEXT, cpu_us INTEGER, wall_ms REAL,
    PRIMARY KEY (schedule, due)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX schedule_runs_open ON schedule_runs (schedule) WHERE outcome IS NULL;
`;
