/**
 * Bills of months, and the documents that are made of them. Called by control/ (cost.ts) with the ledger, and by the command
 * line (invoice.ts).
 * Promise: a bill has all that the ledger has of the month, or there is none; an invoice adds up, or there is none.
 * Start at cost.ts; pdf.ts is the only one that knows the PDF library.
 */
export { CostAnswer } from './cost-answer.ts';
export { type Cost, readCost, readMonthTotals } from './cost.ts';
export { InvoiceCost, toInvoice } from './invoice.ts';
export { type Month, parseMonth, toMonth } from './month.ts';
export { toPdf } from './pdf.ts';
