import { BlockList, isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

const MAX_HOPS = 32; // addresses of X-Forwarded-For that are looked at, from the end

/** Which peers may say for whom they ask. Without any, the address of the connection is the client's. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** Addresses and networks (`10.0.0.0/8`). Throws on what is neither. */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(network) ?? [];
      const version = isIP(address);
      const family = version === 6 ? 'ipv6' : 'ipv4';
      const longest = version === 6 ? 128 : 32;
      const length = bits === undefined ? longest : Number(bits);
      if (version === 0 || length > longest)
        throw new TypeError(`Cannot trust ${network}: it is neither an address nor a network`);
      this.#list.addSubnet(address, length, family);
    }
  }

  has(address: string): boolean {
    return this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  /** The client of a trusted peer: the last address of X-Forwarded-For that is not a proxy's. */
  clientOf(peer: string, headers: IncomingHttpHeaders): string {
    const forwarded = headers['x-forwarded-for'];
    if (typeof forwarded !== 'string') return peer;
    let client = peer;
    for (const hop of forwarded.split(',').slice(-MAX_HOPS).toReversed()) {
      const address = toAddress(hop.trim());
      // What is no address was not written by a proxy that we trust: whoever is behind it is not known.
      if (address === undefined) return client;
      client = address;
      if (!this.has(address)) return client;
    }
    return client;
  }

  /** By which scheme the client asked the proxy, if that says so. */
  schemeOf(headers: IncomingHttpHeaders): 'http' | 'https' | undefined {
    const given = headers['x-forwarded-proto'];
    if (typeof given !== 'string') return undefined;
    const last = given
      .slice(given.lastIndexOf(',') + 1)
      .trim()
      .toLowerCase();
    return last === 'http' || last === 'https' ? last : undefined;
  }
}

/** Some proxies write a port behind the address, or brackets around it. */
function toAddress(hop: string): string | undefined {
  if (isIP(hop) !== 0) return unmapped(hop);
  const [, address = ''] =
    /^\[([^\]]+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(hop)?.filter((part) => part !== undefined) ?? [];
  return isIP(address) === 0 ? undefined : unmapped(address);
}

/** A dual-stack socket shows IPv4 clients as ::ffff:1.2.3.4. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
