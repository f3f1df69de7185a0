/**
 * Bills of months. Called by control/ (cost.ts) with the ledger, and by the command line, which makes documents of them.
 * Promise: a bill has all that the ledger has of the month, or there is none.
 * Start at cost.ts.
 */
export { type Cost, readCost } from './cost.ts';
export { parseMonth } from './month.ts';
