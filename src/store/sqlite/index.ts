/**
 * The embedded Registry and what shares its file: one SQLite file, in WAL mode. Opened by the supervisor's composition root.
 * Promise: an acknowledged write survives a crash of the process or the machine; a half-done one leaves no trace.
 * The audit log, KV and the logs of Workers are files beside it.
 * Start at sqlite-registry.ts; migrations/ has the schema; route-feed.ts explains how watchers resume.
 */
export { openInlineKvStore, openSqliteKvStore } from './kv/sqlite-kv-store.ts';
export { openInlineLedger, openSqliteLedger } from './ledger/sqlite-ledger.ts';
export { openInlineLogStore, openSqliteLogStore } from './logs/sqlite-log-store.ts';
export { type AuditLogOptions, openSqliteAuditLog } from './sqlite-audit-log.ts';
export { openSqliteExports } from './sqlite-exports.ts';
export { openSqliteRegistry, openSqliteStores, type SqliteStores } from './stores.ts';
