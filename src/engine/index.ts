/**
 * Isolates: creating, entering, limiting and disposing of them. The only folder that knows isolated-vm.
 * Called by cell/. Knows nothing of HTTP or of storage.
 * Promise: an isolate serves one tenant for its whole life, and no entry outlives its CPU budget.
 * Start at isolate.ts; watchdog.ts explains how a limit is kept.
 */
export { endProcess } from './cpu-clock.ts';
export { Engine, type EngineOptions } from './engine.ts';
export {
  ENTRY,
  type EntryResult,
  type GuestArgument,
  GuestIsolate,
  type HeapStatistics,
  type HostHandler,
} from './isolate.ts';
export { toGuestBytes } from './guest-bytes.ts';
export type { LanePriority } from './lane.ts';
export { LoadError } from './load-error.ts';
export type { GuestSource, Variant } from './snapshot.ts';
