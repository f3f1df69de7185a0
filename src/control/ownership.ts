import { createHmac } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import { isWithin } from '../hostnames/index.ts';
import type { AccountId } from '../ids.ts';
import type { Hostnames, Zone } from '../store/index.ts';

const PREFIX = '_isola-challenge';
const TOKEN_CHARS = 32;

/** Asks the DNS. */
export interface TxtResolver {
  /** The TXT records of a name, each whole; none where the name has none. Rejects when the DNS does not answer. */
  resolveTxt(name: string): Promise<string[]>;
}

/** The TXT record that proves a name. */
export interface Challenge {
  readonly name: string;
  readonly value: string;
}

export interface OwnershipDeps {
  readonly hostnames: Hostnames;
  readonly resolver: TxtResolver;
  readonly baseDomain: string;
  readonly now: () => number;
}

/** Whose a host name is: kept once it has been proven, looked up in the DNS before. */
export class Ownership {
  readonly #deps: OwnershipDeps;
  #secret: Promise<string> | undefined;

  constructor(deps: OwnershipDeps) {
    this.#deps = deps;
  }

  /** Of account and name, with the server's secret: of no use to another account. */
  async challenge(account: AccountId, name: string): Promise<Challenge> {
    const secret = await (this.#secret ??= this.#deps.hostnames.challengeSecret());
    const value = createHmac('sha256', secret).update(`${account}\n${name}`).digest('hex').slice(0, TOKEN_CHARS);
    return { name: `${PREFIX}.${name}`, value: `isola-${value}` };
  }

  /** Resolves when the name is the account's. Throws `hostnameTaken`, or `hostnameUnproven` with what is to be done. */
  async require(account: AccountId, name: string): Promise<void> {
    const zone = await this.#deps.hostnames.zoneOf(name);
    if (zone?.account === account) return;
    await this.prove(account, name);
  }

  /**
   * Looks for the record of the name, and for those of the names above it, which prove more. Throws `hostnameTaken` or
   * `hostnameUnproven`.
   */
  async prove(account: AccountId, name: string): Promise<Zone> {
    const { hostnames, now } = this.#deps;
    this.requireOutside(name);
    if (await hostnames.isTaken(name, account)) throw taken(name);
    const { proven, failure } = await this.#lookUp(account, name);
    for (const candidate of proven) {
      // oxlint-disable-next-line no-await-in-loop -- the first that is free
      if (await hostnames.isTaken(candidate, account)) continue;
      const provenOn = new Date(now()).toISOString();
      return hostnames.proveZone({ account, name: candidate, proof: 'dns', provenOn }); // oxlint-disable-line no-await-in-loop
    }
    throw await this.#unproven(account, name, failure);
  }

  /** Throws for names of the base domain, which nobody can prove. */
  requireOutside(name: string): void {
    const { baseDomain } = this.#deps;
    if (!isWithin(name, baseDomain)) return;
    throw new PlatformError('badHostname', `Cannot prove ${name}: it belongs to the base domain ${baseDomain}`);
  }

  /** The names whose record is there, the one that covers most first. */
  async #lookUp(account: AccountId, name: string): Promise<{ proven: string[]; failure: unknown }> {
    const candidates = provable(name);
    const answers = await Promise.allSettled(
      candidates.map(async (candidate) => {
        const challenge = await this.challenge(account, candidate);
        const records = await this.#deps.resolver.resolveTxt(challenge.name);
        return records.some((record) => record.trim() === challenge.value);
      }),
    );
    return {
      proven: candidates.filter((_, at) => answers[at]?.status === 'fulfilled' && answers[at].value),
      failure: answers.find((answer) => answer.status === 'rejected')?.reason,
    };
  }

  /** On one line: wrangler prints it as it is. */
  async #unproven(account: AccountId, name: string, failure: unknown): Promise<PlatformError> {
    const own = await this.challenge(account, name);
    const [highest = name] = provable(name);
    const above = await this.challenge(account, highest);
    const wider = highest === name ? '' : `; or, for all of ${highest}: ${above.name} TXT "${above.value}"`;
    const trouble =
      failure === undefined
        ? ''
        : ` (The DNS did not answer: ${(failure as { code?: string }).code ?? 'no reason given'}.)`;
    return new PlatformError(
      'hostnameUnproven',
      `Cannot use ${name}: the account has not proven to own it. Make this TXT record, then try again: ` +
        `${own.name} TXT "${own.value}"${wider}${trouble}`,
    );
  }
}

/** The name and those above it that have two parts at least, the highest first. */
function provable(name: string): string[] {
  const labels = name.split('.');
  return labels
    .slice(0, -1)
    .map((_, at) => labels.slice(at).join('.'))
    .toReversed();
}

/** Not whose: that is nobody's business. */
function taken(name: string): PlatformError {
  return new PlatformError('hostnameTaken', `Cannot use ${name}: it, or a name that overlaps it, is in use`);
}
