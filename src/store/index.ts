/**
 * Ports of everything the platform remembers. Adapters live in sqlite/ and files/; each runs the contract suite of its
 * port. Called by control/ (writes) and the supervisor (routes, code). Knows nothing of HTTP or of cells.
 * Promise: what was acknowledged is there after a crash, and a version is never half there.
 * Start at registry.ts.
 */
export type { AccountData } from './account-data.ts';
export type { AssetEntry, AssetIndex, AssetQuota, AssetUpload, UploadManifest } from './asset-index.ts';
export type { AuditDraft, AuditFilter, AuditLog, AuditRecord } from './audit.ts';
export type { Blobs } from './blobs.ts';
export type { ExportKey, ExportProgress, Exports, PendingExport } from './exports.ts';
export type { Expiring, Grant, Grants } from './grants.ts';
export type { HostRuleDraft, HostRuleRecord, Hostnames, RuleChange, Zone } from './hostnames.ts';
export type { Housekeeping, TrimCursor, TrimmedVersion, VersionQuota } from './housekeeping.ts';
export type { PreviewNames, Previews } from './previews.ts';
export type { KvAddress, KvEntry, KvKey, KvNamespace, KvPage, KvStore } from './kv.ts';
export {
  HOURS_KEPT_DAYS,
  type Ledger,
  MINUTES_KEPT_DAYS,
  type UsageBatch,
  type UsageEntry,
  type UsageQuery,
  type UsageStep,
  type UsageSum,
} from './ledger.ts';
export type { LogEntry, LogPage, LogQuery, LogQuota, LogStore, StoredLogEntry } from './logs.ts';
export { loadModules } from './load-modules.ts';
export type {
  Account,
  AccountSettings,
  AccountSettingsPatch,
  AccountStatus,
  Annotations,
  CreateVersionOptions,
  Cursor,
  DeploymentDraft,
  DeploymentRecord,
  Page,
  Registry,
  RouteEvent,
  RouteState,
  Source,
  VersionDraft,
  VersionRecord,
  WorkerPatch,
  WorkerRecord,
  WorkerSettings,
} from './registry.ts';
export type { DueSchedule, RunEnd, Schedule, ScheduleClaim, Schedules } from './schedules.ts';
export {
  type DataKeyId,
  type ResealedVersion,
  type SealedVersion,
  type SecretKeys,
  type SecretKeysState,
  StaleKeyError,
  type WrappedKey,
} from './secret-keys.ts';
export {
  SCOPES,
  type Scope,
  type TokenDraft,
  type TokenHash,
  type TokenOwner,
  type TokenRecord,
  type Tokens,
} from './tokens.ts';
