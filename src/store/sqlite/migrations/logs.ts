/**
 * Ids are times: ms since 1970 at which the entry was taken, and room for 4,096 in each. An account's row goes first when
 * it is deleted, its entries by and by: numbers are never used again. The index of texts holds which entries have which
 * three letters in a row, and nothing else: what it finds is looked at again. Whose an entry is is three letters, too.
 */
const LOGS = `
  CREATE TABLE accounts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE deleted_accounts (number INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, account INTEGER NOT NULL, worker TEXT NOT NULL, outcome TEXT NOT NULL,
    bytes INTEGER NOT NULL, entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX entries_by_account ON entries (account, id, worker, outcome, bytes);
  CREATE VIRTUAL TABLE texts USING fts5 (text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram');
`;

export const LOG_MIGRATIONS = [{ name: 'logs', sql: LOGS }];
