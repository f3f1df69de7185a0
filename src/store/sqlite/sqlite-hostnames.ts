import type { SQLOutputValue, StatementSync } from 'node:sqlite';
import { PlatformError } from '../../errors.ts';
import { isWithin } from '../../hostnames/index.ts';
import type { AccountId, WorkerName } from '../../ids.ts';
import { MAX_ROUTES, MAX_ZONES } from '../../limits.ts';
import type { HostRule } from '../../model.ts';
import type { HostRuleDraft, HostRuleRecord, Hostnames, RuleChange, Zone } from '../hostnames.ts';
import type { Database } from './database.ts';
import { type Row, toIsoTime, toMs } from './rows.ts';

const SQL = {
  secret: `SELECT value FROM meta WHERE key = 'challenge_secret'`,
  zones: 'SELECT * FROM zones WHERE account = ? ORDER BY name',
  claims: 'SELECT account, name FROM zone_claims WHERE account = ? ORDER BY name',
  zone: 'SELECT * FROM zones WHERE name = ?',
  // A name's parents are few, and looked up; those below it end in it.
  foreignBelow: `SELECT 1 FROM zones WHERE name LIKE '%.' || ? AND account <> ? LIMIT 1`,
  countZones: `SELECT (SELECT count(*) FROM zones WHERE account = ?1)
    + (SELECT count(*) FROM zone_claims WHERE account = ?1) AS n`,
  hasAccount: `SELECT 1 FROM accounts WHERE id = ? AND status <> 'deleting'`,
  insertClaim: 'INSERT INTO zone_claims (account, name) VALUES (?, ?) ON CONFLICT DO NOTHING',
  deleteClaim: 'DELETE FROM zone_claims WHERE account = ? AND name = ? RETURNING name',
  putZone: `INSERT INTO zones (name, account, proof, proven_on) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET proof = excluded.proof`,
  deleteZone: 'DELETE FROM zones WHERE account = ? AND name = ? RETURNING name',

  rules: 'SELECT * FROM host_rules WHERE account = ?1 AND (?2 IS NULL OR worker = ?2) ORDER BY pattern, id',
  allRules: 'SELECT * FROM host_rules',
  rule: 'SELECT * FROM host_rules WHERE id = ?',
  countRules: 'SELECT count(*) AS n FROM host_rules WHERE account = ?',
  hasWorker: 'SELECT 1 FROM workers WHERE account = ? AND name = ?',
  putRule: `INSERT INTO host_rules (id, account, worker, kind, host, pattern, rule, created_on)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
    SET account = excluded.account, worker = excluded.worker, pattern = excluded.pattern, rule = excluded.rule`,
  deleteRule: 'DELETE FROM host_rules WHERE account = ? AND id = ? RETURNING id',
  rulesAt: 'SELECT rule, worker FROM host_rules WHERE host = ? AND worker IS NOT NULL',
} as const;

export class SqliteHostnames implements Hostnames {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = database.prepare(SQL);
  }

  async challengeSecret(): Promise<string> {
    return String(this.#statements.secret.get()?.['value']);
  }

  async zones(account: AccountId): Promise<Zone[]> {
    const rows = [...this.#statements.zones.all(account), ...this.#statements.claims.all(account)];
    return rows.map(toZone).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async zoneOf(name: string): Promise<Zone | undefined> {
    return this.#zoneOf(name);
  }

  async isTaken(name: string, account: AccountId): Promise<boolean> {
    return this.#isTaken(name, account);
  }

  async claimZone(account: AccountId, name: string): Promise<void> {
    this.#database.transact(() => {
      this.#requireAccount(account);
      if (this.#statements.zone.get(name)?.['account'] === account) return;
      this.#statements.insertClaim.run(account, name);
      this.#checkZones(account);
    });
  }

  async proveZone({ account, name, proof, provenOn }: Required<Zone>): Promise<Zone> {
    return this.#database.transact(() => {
      this.#requireAccount(account);
      if (this.#isTaken(name, account)) throw taken(name);
      this.#statements.deleteClaim.run(account, name);
      this.#statements.putZone.run(name, account, proof, toMs(provenOn));
      this.#checkZones(account);
      return toZone(this.#statements.zone.get(name)!);
    });
  }

  async deleteZone(account: AccountId, name: string, { force }: { force: boolean }): Promise<RuleChange> {
    return this.#database.transact(() => {
      const claimed = this.#statements.deleteClaim.get(account, name) !== undefined;
      const proven = this.#statements.deleteZone.get(account, name) !== undefined;
      if (!claimed && !proven) throw new PlatformError('notFound', `Account '${account}' has no zone '${name}'`);
      if (!proven) return { set: [], remove: [] };
      // Another zone of the account, above it, may still hold them.
      const orphans = this.#rulesOf(account).filter(
        ({ host }) => isWithin(host, name) && this.#zoneOf(host)?.account !== account,
      );
      if (orphans.length > 0 && !force) {
        const shown = orphans.slice(0, 5).map(({ pattern }) => pattern);
        throw new PlatformError(
          'badRequest',
          `Cannot delete zone ${name}: ${orphans.length} routes are in it (${shown.join(', ')}); take them away first, or say force=true`,
        );
      }
      for (const { id } of orphans) this.#statements.deleteRule.run(account, id);
      return { set: [], remove: orphans.map(({ id }) => id) };
    });
  }

  async rules(account: AccountId, worker?: WorkerName): Promise<HostRuleRecord[]> {
    return this.#rulesOf(account, worker);
  }

  async allRules(): Promise<HostRule[]> {
    return this.#statements.allRules.all().map((row) => toHostRule(toRecord(row)));
  }

  async replaceRules(
    { account, worker, kind }: { account: AccountId; worker: WorkerName; kind: HostRule['kind'] },
    rules: readonly HostRuleDraft[],
    { takeOver = false }: { takeOver?: boolean } = {},
  ): Promise<RuleChange> {
    return this.#database.transact(() => {
      const kept = new Set(rules.map(({ id }) => id));
      const gone = this.#rulesOf(account, worker).filter((rule) => rule.kind === kind && !kept.has(rule.id));
      for (const { id } of gone) this.#statements.deleteRule.run(account, id);
      for (const rule of rules) this.#put(rule, takeOver);
      this.#checkRules(account);
      return { set: rules.map(toHostRule), remove: gone.map(({ id }) => id) };
    });
  }

  async putRule(rule: HostRuleDraft): Promise<RuleChange> {
    return this.#database.transact(() => {
      this.#put(rule, false);
      this.#checkRules(rule.account);
      return { set: [toHostRule(rule)], remove: [] };
    });
  }

  async deleteRule(account: AccountId, id: string): Promise<RuleChange> {
    const deleted = this.#statements.deleteRule.get(account, id);
    if (deleted === undefined) throw new PlatformError('notFound', 'There is no such route');
    return { set: [], remove: [id] };
  }

  async serving(name: string): Promise<'named' | 'wildcard' | undefined> {
    let found: 'wildcard' | undefined;
    for (const host of withParents(name)) {
      for (const row of this.#statements.rulesAt.all(host)) {
        const { wildcard } = JSON.parse(String(row['rule'])) as HostRule;
        if (wildcard === 'none' && host === name) return 'named';
        if (wildcard === 'all' || (wildcard === 'subdomains' && host !== name)) found = 'wildcard';
      }
    }
    return found;
  }

  #put(rule: HostRuleDraft, takeOver: boolean): void {
    const { id, account, worker, kind, pattern, createdOn, host } = rule;
    if (worker === null) this.#requireAccount(account);
    else if (this.#statements.hasWorker.get(account, worker) === undefined) {
      throw new PlatformError('workerNotFound', `Account '${account}' has no Worker named '${worker}'`);
    }
    if (!rule.isOwn) {
      const zone = this.#zoneOf(host);
      if (zone !== undefined && zone.account !== account) throw taken(host);
      if (zone === undefined) {
        throw new PlatformError('hostnameUnproven', `Cannot use ${pattern}: nothing shows that the account owns it`);
      }
    }
    const before = this.#statements.rule.get(id);
    const isAnothers = before !== undefined && (before['account'] !== account || before['worker'] !== worker);
    if (isAnothers && (before['account'] !== account || !takeOver)) {
      throw taken(pattern, before['account'] === account ? (before['worker'] ?? 'no Worker') : undefined);
    }
    this.#statements.putRule.run(
      id,
      account,
      worker,
      kind,
      host,
      pattern,
      JSON.stringify(toHostRule(rule)),
      toMs(createdOn),
    );
  }

  #rulesOf(account: AccountId, worker?: WorkerName): HostRuleRecord[] {
    return this.#statements.rules.all(account, worker ?? null).map(toRecord);
  }

  #zoneOf(name: string): Zone | undefined {
    for (const parent of withParents(name)) {
      const row = this.#statements.zone.get(parent);
      if (row !== undefined) return toZone(row);
    }
    return undefined;
  }

  #isTaken(name: string, account: AccountId): boolean {
    const above = this.#zoneOf(name);
    if (above !== undefined && above.account !== account) return true;
    return this.#statements.foreignBelow.get(name, account) !== undefined;
  }

  #requireAccount(account: AccountId): void {
    if (this.#statements.hasAccount.get(account) !== undefined) return;
    throw new PlatformError('notFound', `There is no account '${account}'`);
  }

  #checkZones(account: AccountId): void {
    const count = Number(this.#statements.countZones.get(account)!['n']);
    if (count <= MAX_ZONES) return;
    throw new PlatformError('badRequest', `Cannot add a zone: the account would have ${count}, limit is ${MAX_ZONES}`);
  }

  #checkRules(account: AccountId): void {
    const count = Number(this.#statements.countRules.get(account)!['n']);
    if (count <= MAX_ROUTES) return;
    throw new PlatformError(
      'badRequest',
      `Cannot set routes: the account would have ${count} with its custom domains, limit is ${MAX_ROUTES}`,
    );
  }
}

/** The name, and each name above it. */
function withParents(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, at) => labels.slice(at).join('.'));
}

/** Of another account nothing is told. */
function taken(name: string, worker?: SQLOutputValue): PlatformError {
  const whose = worker === undefined ? 'it, or a name that overlaps it, is in use' : `it leads to '${String(worker)}'`;
  return new PlatformError('hostnameTaken', `Cannot use ${name}: ${whose}`);
}

function toZone(row: Row): Zone {
  const zone = { name: row['name'] as string, account: row['account'] as AccountId };
  if (typeof row['proof'] !== 'string') return zone;
  return { ...zone, proof: row['proof'] as 'dns' | 'operator', provenOn: toIsoTime(row['proven_on']) };
}

function toRecord(row: Row): HostRuleRecord {
  const rule = JSON.parse(String(row['rule'])) as HostRule;
  return { ...rule, pattern: row['pattern'] as string, createdOn: toIsoTime(row['created_on']) };
}

function toHostRule({ id, account, worker, kind, host, wildcard, path, isPrefix, scheme }: HostRule): HostRule {
  return { id, account, worker, kind, host, wildcard, path, isPrefix, ...(scheme !== undefined && { scheme }) };
}
