/**
 * Cached responses of Workers (`caches`), by the rules of HTTP, in the memory of whoever starts it.
 * Called by supervisor/ with what a cell asks, and in-process in library mode. Knows nothing of Workers.
 * Promise: an account sees and evicts its own entries alone, but for those of whoever has more than it; memory is bounded
 * by what was given, bodies on their way included.
 * Start at exchange.ts; policy.ts says what is stored, conditional.ts what is answered.
 */
export { serveCache } from './exchange.ts';
export { CacheStore } from './store.ts';
