/**
 * Host names and route patterns as people write them, parsed into what the registry stores and gateways match.
 * Called by control/, store/ and broker/. Knows nothing of HTTP, of accounts or of DNS.
 * Promise: what has been parsed has one spelling only, so that equal names are equal strings.
 * Start at pattern.ts.
 */
export { canonicalHost, matchesHostPattern, parseHostPattern } from './host-list.ts';
export { isWithin, parseHostname } from './hostname.ts';
export { parseDomain, parsePattern } from './pattern.ts';
