/**
 * Builds the guest runtime: one script that goes into the snapshot, and one for each part that is loaded on first use
 * (parts/). Host side; whoever starts an engine calls it once.
 * Promise: the same sources and tools give the same scripts, and what is already built is read from the cache.
 * Start at build-guest.ts; bundle-part.ts and bundle-core.ts say how a part finds the core.
 */
export { WARMUP } from '../warmup.ts';
export { buildGuest, type GuestScript } from './build-guest.ts';
