/** `asset_usage` has the sums of `assets`, kept with it. `asset_wanted`: what an upload is to bring, `done` when it came. */
export const ASSETS = `
  CREATE TABLE assets (
    account TEXT NOT NULL, hash TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, type TEXT,
    PRIMARY KEY (account, hash)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE asset_usage (
    account TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE asset_uploads (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, worker TEXT NOT NULL, expires_on INTEGER NOT NULL,
    manifest TEXT NOT NULL
  ) STRICT;
  CREATE INDEX asset_uploads_by_expiry ON asset_uploads (expires_on);
  CREATE TABLE asset_wanted (
    upload TEXT NOT NULL, hash TEXT NOT NULL, bytes INTEGER NOT NULL, done INTEGER NOT NULL,
    PRIMARY KEY (upload, hash)
  ) STRICT, WITHOUT ROWID;
`;
