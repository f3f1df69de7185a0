/**
 * `accounts.status`: `active`, `suspended`, or `deleting` when the account is gone and other stores have yet to be told.
 * `tokens` and `grants` hold hashes, never what can be presented. A grant stands on the token that somebody signed in with.
 */
export const ACCOUNTS_AND_TOKENS = `
  ALTER TABLE accounts ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
    created_on INTEGER NOT NULL, expires_on INTEGER, last_used_on INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_owner ON tokens (owner, name);
  CREATE TABLE grants (
    id TEXT PRIMARY KEY, parent TEXT NOT NULL, client TEXT NOT NULL, scopes TEXT NOT NULL, created_on INTEGER NOT NULL,
    access_hash TEXT NOT NULL UNIQUE, access_expires_on INTEGER NOT NULL,
    refresh_hash TEXT NOT NULL UNIQUE, refresh_expires_on INTEGER NOT NULL, spent_hash TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grants_by_parent ON grants (parent);
  CREATE INDEX grants_by_spent ON grants (spent_hash);
`;
