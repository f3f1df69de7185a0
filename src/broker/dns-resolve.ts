/**
 * Names of fetches looked up at a DNS server. Not by the system's getaddrinfo(), which has two threads in a process: a
 * tenant with names whose servers do not answer would make everybody's wait.
 */
import { Resolver } from 'node:dns/promises';
import type { Resolve, ResolvedAddress } from './connect.ts';

const TIMEOUT_MS = 2_500; // a try
const TRIES = 2;

/** `server`: `address:port`; without it those of this machine. Knows nothing of `/etc/hosts`. */
export function createDnsResolve(server?: string): Resolve {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (server !== undefined) resolver.setServers([server]);
  return async (hostname) => {
    const [ipv4, ipv6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = [...toAddresses(ipv4, 4), ...toAddresses(ipv6, 6)];
    if (found.length === 0 && ipv4.status === 'rejected') throw ipv4.reason;
    return found;
  };
}

function toAddresses(answer: PromiseSettledResult<string[]>, family: number): ResolvedAddress[] {
  return answer.status === 'rejected' ? [] : answer.value.map((address) => ({ address, family }));
}
