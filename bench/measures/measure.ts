/** The shape of a measure. */
import type { Context } from '../lib/context.ts';
import type { Row } from '../lib/report.ts';

export interface Measure {
  readonly id: string;
  readonly title: string;
  /** After so long something hangs; the bench gives up on it and goes on with the next. */
  readonly timeoutMs: number;
  /** Adds rows as they are known, so that what was measured survives a failure later on. */
  readonly run: (context: Context, rows: Row[]) => Promise<void>;
}
