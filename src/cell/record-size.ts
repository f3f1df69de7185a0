import type { InvocationRecord } from '../model.ts';

const RECORD_BYTES = 512; // what a record costs beside what was logged
const LINE_BYTES = 64; // what a line costs beside its text

/** What a record costs whoever reads or stores it, in bytes. */
export function sizeOf({ logs, exceptions }: InvocationRecord): number {
  let bytes = RECORD_BYTES + (logs.length + exceptions.length) * LINE_BYTES;
  for (const { message } of logs) bytes += message.length;
  for (const { message, stack } of exceptions) bytes += message.length + stack.length;
  return bytes;
}
