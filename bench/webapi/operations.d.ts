import type { Operation } from './task.ts';

/** The last result: exported, so that it counts as used. */
export const sink: unknown;

export const operations: Readonly<Record<string, Operation>>;
