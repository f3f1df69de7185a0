/**
 * What the platform's processes tell of themselves, kept for operators: the state of the cells now, and metrics.
 * Called by the supervisor, which hands in what arrives, and by control/, which shows it.
 * Promise: whatever a cell says, what is kept is bounded, and another account's isolates are shown to nobody.
 * Start at cell-board.ts.
 */
export type { GatewayNumbers } from './gateway-metrics.ts';
export { type ChannelBytes, PlatformMetrics } from './platform-metrics.ts';
export { UsageMetrics } from './usage-metrics.ts';
export { residentBytes } from './process-usage.ts';
export { CellBoard, type CellView } from './cell-board.ts';
