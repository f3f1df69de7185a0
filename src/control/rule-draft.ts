/** From a route or custom domain as written to what the registry keeps, with what can be said without asking anybody. */
import { createHash } from 'node:crypto';
import { PlatformError } from '../errors.ts';
import { isWithin, parseDomain, parsePattern } from '../hostnames/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import type { HostPattern, HostRule } from '../model.ts';
import type { HostRuleDraft } from '../store/index.ts';

const ID_CHARS = 32;

export interface WrittenRule {
  readonly account: AccountId;
  readonly worker: WorkerName | null;
  readonly kind: HostRule['kind'];
  readonly pattern: string;
  readonly createdOn: string;
}

/** Throws `badHostname` for what is malformed, or in a part of the base domain that is not the account's. */
export function toRuleDraft({ kind, pattern, ...written }: WrittenRule, baseDomain: string): HostRuleDraft {
  const parsed = kind === 'domain' ? parseDomain(pattern) : parsePattern(pattern);
  const isOwn = isWithin(parsed.host, `${written.account}.${baseDomain}`);
  if (!isOwn && isWithin(parsed.host, baseDomain)) {
    throw new PlatformError(
      'badHostname',
      `Cannot use ${pattern}: of the base domain ${baseDomain}, an account has the names below ${written.account}.${baseDomain}`,
    );
  }
  return { ...parsed, ...written, kind, pattern, isOwn, id: idOf(kind, parsed) };
}

/** Equal for patterns that fit the same URLs. */
function idOf(kind: HostRule['kind'], { scheme, host, wildcard, path, isPrefix }: HostPattern): string {
  const text = JSON.stringify([kind, scheme ?? '', wildcard, host, path, isPrefix]);
  return createHash('sha256').update(text).digest('hex').slice(0, ID_CHARS);
}
