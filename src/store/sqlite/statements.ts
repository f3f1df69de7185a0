import type { DatabaseSync, StatementSync } from 'node:sqlite';

const VERSION_COLUMNS = `
  v.id, v.number, v.created_on, v.record, w.account, w.name AS worker_name,
  w.limits AS worker_limits, a.limits AS account_limits
  FROM versions v JOIN workers w ON w.id = v.worker LEFT JOIN accounts a ON a.id = w.account`;

const SQL = {
  account: 'SELECT * FROM accounts WHERE id = ?',
  putAccount: `INSERT INTO accounts (id, name, created_on) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
  listAccounts: 'SELECT * FROM accounts ORDER BY id LIMIT ? OFFSET ?',
  countAccounts: 'SELECT count(*) AS n FROM accounts',
  setAccountLimits: 'UPDATE accounts SET limits = ? WHERE id = ?',

  worker: 'SELECT * FROM workers WHERE account = ? AND name = ?',
  listWorkers: 'SELECT * FROM workers WHERE account = ? ORDER BY name LIMIT ? OFFSET ?',
  countWorkers: 'SELECT count(*) AS n FROM workers WHERE account = ?',
  insertWorker: `INSERT INTO workers (account, name, tag, created_on, modified_on, settings, last_number)
    VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (account, name) DO NOTHING`,
  updateWorker: 'UPDATE workers SET modified_on = ?, settings = ?, limits = ? WHERE id = ?',
  bumpWorker: 'UPDATE workers SET last_number = ?, modified_on = ? WHERE id = ?',
  deleteWorker: 'DELETE FROM workers WHERE id = ?',

  insertVersion: 'INSERT INTO versions (id, worker, number, created_on, record) VALUES (?, ?, ?, ?, ?)',
  isVersionOf: 'SELECT 1 FROM versions WHERE id = ? AND worker = ?',
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

export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

/** Prepares every statement of the registry once, which also proves at opening that the schema fits. */
export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}
