import type { Database } from './database.ts';

const VERSION_COLUMNS = `
  v.id, v.number, v.created_on, v.record, v.secrets_key, w.account, w.name AS worker_name,
  w.limits AS worker_limits, a.limits AS account_limits
  FROM versions v JOIN workers w ON w.id = v.worker LEFT JOIN accounts a ON a.id = w.account`;

const SQL = {
  account: `SELECT * FROM accounts WHERE id = ? AND status <> 'deleting'`,
  putAccount: `INSERT INTO accounts (id, name, created_on) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
  listAccounts: `SELECT * FROM accounts WHERE status <> 'deleting' ORDER BY id LIMIT ? OFFSET ?`,
  countAccounts: `SELECT count(*) AS n FROM accounts WHERE status <> 'deleting'`,
  seed: `INSERT INTO meta (key, value) VALUES ('seeded', 1) ON CONFLICT (key) DO NOTHING`,
  hasAccounts: 'SELECT 1 FROM accounts LIMIT 1',
  setAccountStatus: `UPDATE accounts SET status = ? WHERE id = ? AND status <> 'deleting'`,
  deleteAccountKeys: 'DELETE FROM secret_keys WHERE account = ?',
  isDeleting: `SELECT 1 FROM accounts WHERE id = ? AND status = 'deleting'`,
  withdrawnAccounts: `SELECT id, status FROM accounts WHERE status <> 'active' ORDER BY id`,
  forgetAccount: `DELETE FROM accounts WHERE id = ? AND status = 'deleting'`,
  deleteAccountDeployments: 'DELETE FROM deployments WHERE worker IN (SELECT id FROM workers WHERE account = ?)',
  deleteAccountVersions: 'DELETE FROM versions WHERE worker IN (SELECT id FROM workers WHERE account = ?)',
  deleteAccountWorkers: 'DELETE FROM workers WHERE account = ?',
  deleteAccountGrants: 'DELETE FROM grants WHERE parent IN (SELECT hash FROM tokens WHERE owner = ?)',
  deleteAccountTokens: 'DELETE FROM tokens WHERE owner = ?',
  routesOfAccount: 'SELECT worker FROM routes WHERE account = ? AND route IS NOT NULL',
  setAccountLimits: 'UPDATE accounts SET limits = ? WHERE id = ?',
  accountsWithSettings: `SELECT * FROM accounts WHERE settings IS NOT NULL AND status <> 'deleting'`,
  setAccountSettings: 'UPDATE accounts SET settings = ? WHERE id = ?',

  worker: 'SELECT * FROM workers WHERE account = ? AND name = ?',
  listWorkers: 'SELECT * FROM workers WHERE account = ? ORDER BY name LIMIT ? OFFSET ?',
  countWorkers: 'SELECT count(*) AS n FROM workers WHERE account = ?',
  insertWorker: `INSERT INTO workers (account, name, tag, created_on, modified_on, settings, last_number)
    VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (account, name) DO NOTHING`,
  updateWorker: 'UPDATE workers SET modified_on = ?, settings = ?, limits = ? WHERE id = ?',
  bumpWorker: 'UPDATE workers SET last_number = ?, modified_on = ? WHERE id = ?',
  deleteWorker: 'DELETE FROM workers WHERE id = ?',

  insertVersion: 'INSERT INTO versions (id, worker, number, created_on, record, secrets_key) VALUES (?, ?, ?, ?, ?, ?)',
  isKeyOf: 'SELECT 1 FROM secret_keys WHERE id = ? AND account = ?',
  assetsOf: `SELECT record -> '$.spec.assets' AS assets FROM versions WHERE id = ? AND worker = ?`,
  versionById: `SELECT ${VERSION_COLUMNS} WHERE v.id = ?`,
  listVersions: `SELECT ${VERSION_COLUMNS} WHERE v.worker = ? ORDER BY v.number DESC LIMIT ? OFFSET ?`,
  deleteVersions: 'DELETE FROM versions WHERE worker = ?',

  insertDeployment: 'INSERT INTO deployments (worker, sequence, id, created_on, record) VALUES (?, ?, ?, ?, ?)',
  lastDeployment: 'SELECT max(sequence) AS sequence FROM deployments WHERE worker = ?',
  listDeployments: 'SELECT * FROM deployments WHERE worker = ? ORDER BY sequence DESC LIMIT ? OFFSET ?',
  deleteDeployments: 'DELETE FROM deployments WHERE worker = ?',

  route: 'SELECT * FROM routes WHERE account = ? AND worker = ?',
  routesAfter: `SELECT account, worker, route FROM routes
    WHERE (account, worker) > (?, ?) AND route IS NOT NULL ORDER BY account, worker LIMIT ?`,
  putRoute: `INSERT INTO routes (account, worker, revision, route) VALUES (?, ?, ?, ?)
    ON CONFLICT (account, worker) DO UPDATE SET revision = excluded.revision, route = excluded.route`,
  nextRevision: `UPDATE meta SET value = value + 1 WHERE key = 'revision' RETURNING value`,
  deleteTombstones: 'DELETE FROM routes WHERE route IS NULL AND revision <= ?',
  raiseFloor: `UPDATE meta SET value = max(value, ?) WHERE key = 'compacted'`,
} as const;

export type Statements = ReturnType<typeof prepareStatements>;

/** Prepares every statement of the registry once. */
export function prepareStatements(database: Database) {
  return database.prepare(SQL);
}
