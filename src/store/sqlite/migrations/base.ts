/**
 * `routes` is the key-value view that watchers follow: one row per Worker that ever served, `route` NULL once it is
 * deleted (a tombstone), `revision` of its last change. The other tables are what the control API shows.
 * Times are ms since 1970; JSON columns hold what is never searched.
 */
export const BASE = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  INSERT INTO meta (key, value) VALUES ('epoch', lower(hex(randomblob(16)))), ('revision', 0), ('compacted', 0);
  CREATE TABLE accounts (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, created_on INTEGER NOT NULL, limits TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, name TEXT NOT NULL, tag TEXT NOT NULL,
    created_on INTEGER NOT NULL, modified_on INTEGER NOT NULL, last_number INTEGER NOT NULL,
    settings TEXT NOT NULL, limits TEXT,
    UNIQUE (account, name)
  ) STRICT;
  CREATE TABLE versions (
    id TEXT PRIMARY KEY, worker INTEGER NOT NULL, number INTEGER NOT NULL,
    created_on INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX versions_by_worker ON versions (worker, number);
  CREATE TABLE deployments (
    worker INTEGER NOT NULL, sequence INTEGER NOT NULL, id TEXT NOT NULL,
    created_on INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (worker, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE routes (
    account TEXT NOT NULL, worker TEXT NOT NULL, revision INTEGER NOT NULL, route TEXT,
    PRIMARY KEY (account, worker)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX routes_by_revision ON routes (revision);
`;
