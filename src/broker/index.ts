/**
 * Outbound fetch on behalf of tenants: redirects by the Fetch standard, bodies streamed both ways, and a guard that
 * keeps tenants away from the operator's own network.
 * Called by supervisor/ (and in-process in library mode) with what a cell asked for. Knows nothing of Workers.
 * Promise: whatever the request and whatever DNS says, no connection is opened to an address that is not public
 * (unless `allowPrivate`); memory per fetch is bounded; every failure is an `EgressError` with a message safe to show.
 * Which ports and hosts beside that: ports.ts, host-policy.ts. Start at egress.ts; connect.ts is the guard, addresses.ts says what counts as public.
 */
export { createEgress, type Egress, type EgressOptions, type EgressRequest, type EgressResponse } from './egress.ts';
export { type FetchRequest, serveFetch } from './exchange.ts';
export { createDnsResolve } from './dns-resolve.ts';
export type { HostPolicy } from './host-policy.ts';
export { parsePorts, type Ports } from './ports.ts';
export { EgressError } from './errors.ts';
export { isPublicAddress } from './addresses.ts';
