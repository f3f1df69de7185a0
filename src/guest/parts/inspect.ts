/** What the console shows of objects, and of format specifiers. */
export { format } from '../inspect/format.ts';
export { formatTable } from '../inspect/table.ts';
export { inspect, inspectWith } from '../inspect/value.ts';
