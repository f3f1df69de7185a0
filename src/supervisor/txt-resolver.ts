/** The DNS, as proofs of host names need it. */
import { Resolver } from 'node:dns/promises';
import type { TxtResolver } from '../control/index.ts';

const TIMEOUT_MS = 2_500; // a try
const TRIES = 2;
const NONE: readonly string[] = ['ENOTFOUND', 'ENODATA'];

/** `server`: `address:port`; the machine's own ones when there is none. */
export function createTxtResolver(server?: string): TxtResolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (server !== undefined) resolver.setServers([server]);
  return {
    async resolveTxt(name) {
      try {
        return (await resolver.resolveTxt(name)).map((parts) => parts.join(''));
      } catch (error) {
        if (NONE.includes((error as { code?: string }).code ?? '')) return [];
        throw error;
      }
    },
  };
}
