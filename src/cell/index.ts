/**
 * Runs Workers: which instance takes an event, where its entries run, what its host calls do, how it ended.
 * Called by main.ts (its process) and runtime/ (the library). Knows neither HTTP servers nor storage.
 * Promise: every exchange gets a response or a reset, every invocation one record; nobody runs past a limit.
 * Start at cell.ts; instance.ts is where events enter the guest.
 */
export { Cell, type CellOptions } from './cell.ts';
export type { CellHost, Principal } from './host.ts';
export type {
  AskHeap,
  CheckAnswer,
  Deployed,
  FireScheduled,
  PrepareVersion,
  ProfileAnswer,
  ReloadWorkers,
  ResolveService,
  Seal,
  StartCell,
  StartProfile,
  SuspendAccount,
  TailedWorkersMessage,
} from './protocol.ts';
export { CELL_FRAME_BYTES } from './protocol.ts';
export type { RecordKind } from './record-batch.ts';
export {
  parseResourceHead,
  type ResourceQuestion,
  type Resources,
  serveResource,
  type ServeResource,
} from './resources.ts';
export type { HostCallKind } from './host-call-times.ts';
export { STATS_LIMITS, type StatsMessage } from './stats-message.ts';
export { fromVersionMessage, toVersionMessage, type VersionHeader } from './version-transfer.ts';
