/**
 * Which IP addresses tenants may reach. IPv4: all but the special-purpose blocks (RFC 6890 and its registry).
 * IPv6: only global unicast, and of that nothing which carries an IPv4 address inside, because a gateway on the way
 * could unwrap it and reach what the IPv4 list forbids.
 */
import { BlockList, isIP } from 'node:net';

const REFUSED_IPV4 = [
  ['0.0.0.0', 8], // "this network"; 0.0.0.0 connects to the machine itself
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; also 100.100.100.200, Alibaba's metadata service
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // Azure's host agent, a public address reachable from inside only
  ['169.254.0.0', 16], // link-local; 169.254.169.254 is the clouds' metadata service
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; also 192.0.0.192, Oracle's metadata service
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, broadcast
] as const;

const REFUSED_IPV6 = [
  ['2001::', 23], // protocol assignments; Teredo (2001::/32) embeds IPv4
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4 embeds IPv4
  ['3fff::', 20], // documentation
] as const;

// Two lists: a BlockList compares IPv4 addresses with rules for IPv4-mapped IPv6, and the other way round.
const refusedIpv4 = new BlockList();
for (const [net, prefix] of REFUSED_IPV4) refusedIpv4.addSubnet(net, prefix, 'ipv4');
const refusedIpv6 = new BlockList();
for (const [net, prefix] of REFUSED_IPV6) refusedIpv6.addSubnet(net, prefix, 'ipv6');
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6'); // leaves out ::1, ::ffff:0:0/96, 64:ff9b::/96, fc00::/7, fe80::/10, ff00::/8 …

/** Whether a tenant may connect to this address. Anything that is not an IP address is not public. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !refusedIpv4.check(address, 'ipv4');
    case 6:
      // A zone (`%eth0`) only makes sense on a link, never for a global address.
      return !address.includes('%') && globalUnicast.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}
