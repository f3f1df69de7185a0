/**
 * Cron triggers: what their expressions mean, and firing them when they are due.
 * Called by control/ (which checks expressions) and the supervisor (which runs the Scheduler). Knows nothing of cells.
 * Promise: a due time is run once at most, whatever crashes; of those that were missed, the last one.
 * Start at scheduler.ts; cron-expression.ts says how Cloudflare's cron differs from others.
 */
export { parseCron } from './cron-expression.ts';
export { nextOf, Scheduler } from './scheduler.ts';
