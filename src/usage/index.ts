/**
 * What is used: metered in the cells, checked by the supervisor, added up in the ledger (store/ledger.ts).
 * Called by cell/ (meter, outbox) and supervisor/ (intake). Knows nothing of how an invocation runs.
 * Promise: what a cell has sent is counted once; a cell that is killed loses what it used in the last second.
 * Start at meter.ts; batch.ts is what goes over the channel; intake.ts checks it.
 */
export { MAX_BATCH_ROWS, parseWireRow, type UsageMessage, type UsageRow } from './batch.ts';
export { type CheckedRow, UsageIntake, type CellUsage } from './intake.ts';
export { Meter, type Told } from './meter.ts';
export {
  METERING_TURN_MS,
  METERING_TURN_ORDER,
  METERING_TURNS,
  meteringTurnAt,
  type MeteringTurn,
  takeMeteringTurns,
} from './metering-turns.ts';
export { type Quota, type QuotaNotice, Quotas, type QuotaState } from './quotas.ts';
export { UsageOutbox } from './outbox.ts';
export {
  addTotals,
  bucketOf,
  CPU_BUCKETS_US,
  createTotals,
  USAGE_FIELDS,
  type UsageEvent,
  type UsageOutcome,
  type UsageTotals,
  WALL_BUCKETS_MS,
} from './totals.ts';
export { Webhooks } from './webhooks.ts';
