/**
 * A namespace's row goes first when it is deleted, its entries by and by: ids are never used again, so that nobody finds
 * them meanwhile. `bytes` of an entry: key, value and metadata; of a namespace: those of its entries, expired ones too.
 * Keys are UTF-8 as bytes: any text, in the order that lists have.
 */
const KV = `
  CREATE TABLE namespaces (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, title TEXT NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, title)
  ) STRICT;
  CREATE TABLE deleted_namespaces (number INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE entries (
    number INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, key BLOB NOT NULL,
    metadata TEXT, expires_at INTEGER, bytes INTEGER NOT NULL, value BLOB NOT NULL,
    UNIQUE (namespace, key)
  ) STRICT;
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
`;

export const KV_MIGRATIONS = [{ name: 'kv', sql: KV }];
