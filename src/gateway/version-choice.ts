/** Which version serves a client, where several share the traffic. */
import type { VersionId } from '../ids.ts';
import type { VersionShare } from '../model.ts';
import { fnv1a, mix } from './hash.ts';

/** A version's share, ready for the choice. */
export interface Weight {
  readonly version: VersionId;
  readonly percentage: number;
  readonly hash: number;
}

export function toWeights(shares: readonly VersionShare[]): Weight[] {
  return shares.map(({ version, percentage }) => ({ version, percentage, hash: fnv1a(version) }));
}

/**
 * Weighted rendezvous hashing: each version draws a number for the client, the lowest for its weight wins. A version
 * whose share grows keeps every client it has, and takes others in proportion; the order of the shares plays no part.
 * `key`: the client's address, or what it sent as `x-isola-version-key`.
 */
export function chooseVersion(weights: readonly Weight[], key: string): VersionId | undefined {
  const client = fnv1a(key);
  let chosen: VersionId | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (const { version, percentage, hash } of weights) {
    // An exponential variable with the rate `percentage`: the lowest of several is of one with probability rate / sum.
    const drawn = -Math.log((mix(client, hash) + 0.5) / 0x1_0000_0000) / percentage;
    if (drawn >= lowest) continue;
    lowest = drawn;
    chosen = version;
  }
  return chosen;
}
