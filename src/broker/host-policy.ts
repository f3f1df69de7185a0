/**
 * Which hosts an account may reach, by the name in the URL. It only takes away: what the guard refuses stays refused,
 * whatever is allowed here.
 */

import { canonicalHost, matchesHostPattern } from '../hostnames/index.ts';

/** Hosts as `parseHostPattern` writes them. */
export interface HostPolicy {
  /** Without it all that are not denied. */
  readonly allow?: readonly string[] | undefined;
  /** Stronger than `allow`. */
  readonly deny?: readonly string[] | undefined;
}

/** Why not to fetch from this host, or undefined. */
export function refuseHost({ hostname }: URL, { allow, deny }: HostPolicy): string | undefined {
  const host = canonicalHost(hostname);
  if (deny?.some((pattern) => matchesHostPattern(pattern, host)) === true) {
    return `Cannot fetch: this account may not reach ${host}`;
  }
  if (allow !== undefined && !allow.some((pattern) => matchesHostPattern(pattern, host))) {
    return `Cannot fetch: ${host} is not among the hosts that this account may reach`;
  }
  return undefined;
}
