/** The price plans that the operator wrote, or the shipped ones. */
import { readFileSync } from 'node:fs';
import { parsePlanBook, type PlanBook } from '../usage/plans/index.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** Throws an error for people when the file cannot be read, or says something that no plan can. */
export function readPlans(path: string | undefined): PlanBook {
  if (path === undefined) return parsePlanBook();
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > MAX_BYTES) throw new RangeError(`it is larger than ${MAX_BYTES} bytes`);
    return parsePlanBook(text);
  } catch (error) {
    throw new Error(`Cannot use --plans ${path}: ${(error as Error).message}`, { cause: error });
  }
}
