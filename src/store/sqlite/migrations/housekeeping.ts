/**
 * What decides which versions go and which blobs nobody needs, kept with every change of `versions` and `assets`.
 *
 * `version_blobs`: modules, source maps and manifests, by version (a manifest counts no bytes). `version_usage`: versions of an
 * account, and the bytes of their blobs, each blob once. `old_versions`: all but the newest of each Worker, oldest first.
 * `loose_blobs`: those that lost a user, so that they are looked at; whether another one is left is seen then.
 */
export const HOUSEKEEPING = `
  CREATE TABLE version_blobs (
    account TEXT NOT NULL, sha256 TEXT NOT NULL, version TEXT NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (account, sha256, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX version_blobs_by_hash ON version_blobs (sha256);
  CREATE INDEX version_blobs_by_version ON version_blobs (version);
  CREATE TABLE version_usage (
    account TEXT PRIMARY KEY, versions INTEGER NOT NULL, bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE old_versions (
    account TEXT NOT NULL, created_on INTEGER NOT NULL, worker INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (account, created_on, worker, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE loose_blobs (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE INDEX assets_by_sha256 ON assets (sha256);

  CREATE VIEW blobs_of_versions AS
    SELECT v.id AS version, w.account, m.value ->> '$.sha256' AS sha256, m.value ->> '$.bytes' AS bytes
      FROM versions v JOIN workers w ON w.id = v.worker, json_each(v.record, '$.modules') m
    UNION
    SELECT v.id, w.account, m.value ->> '$.sha256', m.value ->> '$.bytes'
      FROM versions v JOIN workers w ON w.id = v.worker, json_each(v.record, '$.sourceMaps') m
    UNION
    SELECT v.id, w.account, v.record ->> '$.spec.assets.manifest', 0
      FROM versions v JOIN workers w ON w.id = v.worker WHERE v.record ->> '$.spec.assets.manifest' IS NOT NULL;

  CREATE TRIGGER version_blobs_count AFTER INSERT ON version_blobs BEGIN
    UPDATE version_usage SET bytes = bytes + new.bytes WHERE account = new.account AND NOT EXISTS (
      SELECT 1 FROM version_blobs
      WHERE account = new.account AND sha256 = new.sha256 AND version <> new.version
    );
  END;
  CREATE TRIGGER version_blobs_uncount AFTER DELETE ON version_blobs BEGIN
    UPDATE version_usage SET bytes = bytes - old.bytes WHERE account = old.account AND NOT EXISTS (
      SELECT 1 FROM version_blobs WHERE account = old.account AND sha256 = old.sha256
    );
    INSERT OR IGNORE INTO loose_blobs (sha256) VALUES (old.sha256);
  END;
  CREATE TRIGGER loose_assets AFTER DELETE ON assets BEGIN
    INSERT OR IGNORE INTO loose_blobs (sha256) VALUES (old.sha256);
  END;

  INSERT INTO version_usage (account, versions, bytes)
    SELECT w.account, count(*), 0 FROM versions v JOIN workers w ON w.id = v.worker GROUP BY w.account;
  INSERT INTO version_blobs (account, sha256, version, bytes)
    SELECT account, sha256, version, max(bytes) FROM blobs_of_versions GROUP BY account, sha256, version;
  INSERT INTO old_versions (account, created_on, worker, number)
    SELECT w.account, v.created_on, v.worker, v.number FROM versions v JOIN workers w ON w.id = v.worker
    WHERE v.number < w.last_number;
  DROP VIEW blobs_of_versions;

  CREATE TRIGGER versions_come AFTER INSERT ON versions BEGIN
    INSERT INTO version_usage (account, versions, bytes)
      SELECT account, 1, 0 FROM workers WHERE id = new.worker
      ON CONFLICT (account) DO UPDATE SET versions = versions + 1;
    INSERT INTO version_blobs (account, sha256, version, bytes)
      SELECT w.account, b.sha256, new.id, max(b.bytes) FROM workers w, (
        SELECT value ->> '$.sha256' AS sha256, value ->> '$.bytes' AS bytes FROM json_each(new.record, '$.modules')
        UNION ALL
        SELECT value ->> '$.sha256', value ->> '$.bytes' FROM json_each(new.record, '$.sourceMaps')
        UNION ALL
        SELECT new.record ->> '$.spec.assets.manifest', 0 WHERE new.record ->> '$.spec.assets.manifest' IS NOT NULL
      ) b WHERE w.id = new.worker GROUP BY b.sha256;
    INSERT INTO old_versions (account, created_on, worker, number)
      SELECT w.account, v.created_on, v.worker, v.number FROM versions v JOIN workers w ON w.id = v.worker
      WHERE v.worker = new.worker AND v.number = new.number - 1;
  END;
  CREATE TRIGGER versions_go BEFORE DELETE ON versions BEGIN
    UPDATE version_usage SET versions = versions - 1
      WHERE account = (SELECT account FROM workers WHERE id = old.worker);
    DELETE FROM old_versions
      WHERE account = (SELECT account FROM workers WHERE id = old.worker)
      AND created_on = old.created_on AND worker = old.worker AND number = old.number;
    DELETE FROM version_blobs WHERE version = old.id;
    DELETE FROM version_usage
      WHERE account = (SELECT account FROM workers WHERE id = old.worker) AND versions = 0;
  END;
`;
