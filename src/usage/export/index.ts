/**
 * Usage for systems that bill: what has been added since the last time, by account, month and meter.
 * Called by supervisor/. Knows the ledger and the Exports by their ports.
 * Promise: each unit is told once. What may have been taken is sent again under the same identifier, as long as the other
 * side knows it; after that it is not sent, and a warning says so.
 * Start at usage-export.ts; stripe-exporter.ts is the one adapter.
 */
export { StripeExporter } from './stripe-exporter.ts';
export { type ExportAccount, UsageExport } from './usage-export.ts';
