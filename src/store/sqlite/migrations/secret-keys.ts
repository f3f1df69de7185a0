/**
 * The accounts' data keys, wrapped; `meta` names the generation that new ones belong to, and later the master key.
 * `versions.secrets_key` is what the secrets in a version's record are sealed with; NULL when it has none.
 */
export const SECRET_KEYS = `
  CREATE TABLE secret_keys (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, generation INTEGER NOT NULL, wrapped TEXT NOT NULL,
    UNIQUE (account, generation)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX secret_keys_by_generation ON secret_keys (generation);
  ALTER TABLE versions ADD COLUMN secrets_key TEXT REFERENCES secret_keys (id);
  CREATE INDEX versions_by_secrets_key ON versions (secrets_key) WHERE secrets_key IS NOT NULL;
  INSERT INTO meta (key, value) VALUES ('keyGeneration', 1);
`;
