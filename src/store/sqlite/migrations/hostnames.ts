/**
 * `zones`: host names that accounts have proven to own, with all below each; `zone_claims`: those that they have asked
 * about and not proven. `host_rules`: route patterns and custom domains; `rule` is what gateways match. What a Worker or an
 * account leaves behind goes with it. `versions_by_alias`: of few versions, so that a Worker's aliases are found at once.
 */
export const HOSTNAMES = `
  CREATE TABLE zones (
    name TEXT PRIMARY KEY, account TEXT NOT NULL, proof TEXT NOT NULL, proven_on INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX zones_by_account ON zones (account);
  CREATE TABLE zone_claims (
    account TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE host_rules (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, worker TEXT, kind TEXT NOT NULL, host TEXT NOT NULL,
    pattern TEXT NOT NULL, rule TEXT NOT NULL, created_on INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX host_rules_by_worker ON host_rules (account, worker);
  CREATE INDEX host_rules_by_host ON host_rules (host);
  CREATE TRIGGER host_rules_go_with_workers AFTER DELETE ON workers BEGIN
    DELETE FROM host_rules WHERE account = old.account AND worker = old.name;
  END;
  CREATE TRIGGER zones_go_with_accounts AFTER UPDATE OF status ON accounts WHEN new.status = 'deleting' BEGIN
    DELETE FROM zones WHERE account = old.id;
    DELETE FROM zone_claims WHERE account = old.id;
    DELETE FROM host_rules WHERE account = old.id;
  END;
  INSERT INTO meta (key, value) VALUES ('challenge_secret', lower(hex(randomblob(32))));
  CREATE INDEX versions_by_alias ON versions (worker, json_extract(record, '$.annotations."workers/alias"'), number)
    WHERE json_extract(record, '$.annotations."workers/alias"') IS NOT NULL;
  UPDATE routes SET route = json_set(route, '$.previews', json('true'))
    WHERE route IS NOT NULL AND EXISTS (
      SELECT 1 FROM workers w WHERE w.account = routes.account AND w.name = routes.worker
      AND json_extract(w.settings, '$.previewsEnabled')
    );
`;
