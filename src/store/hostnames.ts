/**
 * The Hostnames port: which account owns which host names, and the route patterns and custom domains that lead from
 * them to Workers. Names and patterns are in their one spelling (hostnames/) when they come here.
 */
import type { AccountId, WorkerName } from '../ids.ts';
import type { HostRule } from '../model.ts';

/** A name that an account owns, with all below it. */
export interface Zone {
  readonly name: string;
  readonly account: AccountId;
  /** `dns`: a TXT record was there. `operator`: he said so. Absent: asked for, and not proven yet. */
  readonly proof?: 'dns' | 'operator';
  readonly provenOn?: string;
}

export interface HostRuleRecord extends HostRule {
  /** As it was written. */
  readonly pattern: string;
  readonly createdOn: string;
}

export interface HostRuleDraft extends HostRuleRecord {
  /** The host is in the account's own part of the base domain: it needs no zone. */
  readonly isOwn: boolean;
}

/** What gateways are to be told. */
export interface RuleChange {
  readonly set: readonly HostRule[];
  readonly remove: readonly string[];
}

/**
 * Every write is one transaction and durable once its promise resolves.
 *
 * Errors: `PlatformError` with `hostnameTaken` (another account's, or another Worker's), `hostnameUnproven`,
 * `workerNotFound`, `notFound`, and `badRequest` past a limit. Anything else is ours.
 */
export interface Hostnames {
  /** What challenge tokens are made with. The same for as long as the registry lives. */
  challengeSecret(): Promise<string>;

  /** Proven and asked for, by name. */
  zones(account: AccountId): Promise<Zone[]>;
  /** The proven zone that a name is in, whoever has it. */
  zoneOf(name: string): Promise<Zone | undefined>;
  /** A proven zone that is this name, above it or below it, of another account. */
  isTaken(name: string, account: AccountId): Promise<boolean>;
  /** Remembers that an account has asked about a name. */
  claimZone(account: AccountId, name: string): Promise<void>;
  proveZone(zone: Required<Zone>): Promise<Zone>;
  /** Gives up a zone, or what was asked for. `force`: with the rules in it, which are otherwise in the way. */
  deleteZone(account: AccountId, name: string, options: { force: boolean }): Promise<RuleChange>;

  /** By pattern, of the whole account or of one Worker. */
  rules(account: AccountId, worker?: WorkerName): Promise<HostRuleRecord[]>;
  /** Of every account. */
  allRules(): Promise<HostRule[]>;
  /**
   * Makes these the Worker's rules of one kind; the others of that kind go. `takeOver`: also from other Workers of the
   * account.
   */
  replaceRules(
    key: { account: AccountId; worker: WorkerName; kind: HostRule['kind'] },
    rules: readonly HostRuleDraft[],
    options?: { takeOver?: boolean },
  ): Promise<RuleChange>;
  /** Adds one, or replaces that of the same pattern. */
  putRule(rule: HostRuleDraft): Promise<RuleChange>;
  deleteRule(account: AccountId, id: string): Promise<RuleChange>;
  /** Whether rules lead from a name to Workers: one that names it, or only a wildcard. */
  serving(name: string): Promise<'named' | 'wildcard' | undefined>;
}
