/**
 * Tails: invocations of a Worker shown as they end, to `wrangler tail`.
 * Called by control/ (sessions and their door) and the supervisor (records come in). Knows nothing of cells.
 * Promise: a tail shows one Worker of one account to who has its token, no secret of a visitor, and costs bounded memory
 * whatever is logged and however slow its client is.
 * Start at tails.ts; tail-event.ts is what goes over the wire.
 */
export { TailFilters } from './filters.ts';
export { Tails } from './tails.ts';
export { acceptTails, TAILS_PATH } from './upgrade.ts';
