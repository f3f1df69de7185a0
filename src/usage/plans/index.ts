/**
 * Price plans and what usage costs under them. Called by usage/ for bills, by the supervisor for the file of plans.
 * Promise: money is integers of the currency's smallest unit; every line is exact until it is rounded, once, half to even;
 * a total is the sum of its lines.
 * Start at bill.ts; plan.ts says what a plan may be, shipped.json has those that are there.
 */
export { type Bill, type BillLine, toBill } from './bill.ts';
export { compareWith, type Comparison, toFormula } from './compare.ts';
export { toAmountText } from './currency.ts';
export { type NamedPlan, parsePlanBook, type PlanBook } from './plan-book.ts';
