/**
 * Values as text, for the console and for Node's `util.inspect`. The code is a part of the runtime (parts/inspect.ts)
 * that an isolate loads when something first shows an object; lines of strings and numbers are put together here.
 * Called by runtime/console.ts and by node/. Knows nothing of the host.
 * Promise: no getter of a tenant's is called, and no value, however wide, deep or shared, is costly.
 * Start at format.ts; value.ts for objects, layout.ts for where lines break.
 */
import type * as part from '../parts/inspect.ts';
import { stringIndexOf } from '../runtime/intrinsics.ts';
import { loadPart } from '../runtime/parts.ts';

export type { CustomInspect } from './value.ts';

type Inspect = typeof part;

const MAX_PLAIN = 64 * 1024; // characters; what is longer is cut, by the part

function loaded(): Inspect {
  return loadPart('inspect') as Inspect;
}

/** `console.log`'s line: format specifiers of a leading string, then the rest with spaces. At most 64 KB. */
export function format(args: readonly unknown[]): string {
  return formatPlain(args) ?? loaded().format(args);
}

/** Text, numbers and the like; undefined for what has to be looked into. */
function formatPlain(args: readonly unknown[]): string | undefined {
  let line = '';
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (i > 0) line += ' ';
    if (typeof value === 'string') {
      if (i === 0 && args.length > 1 && stringIndexOf(value, '%') !== -1) return undefined;
      line += value;
    } else if (typeof value === 'number') {
      line += value === 0 && 1 / value < 0 ? '-0' : `${value}`;
    } else if (typeof value === 'boolean' || value === undefined || value === null) {
      line += `${value}`;
    } else {
      return undefined;
    }
  }
  return line.length > MAX_PLAIN ? undefined : line;
}

/** A value as text, bounded as `format` is. Never throws. */
export const inspect: Inspect['inspect'] = (value, maxDepth) => loaded().inspect(value, maxDepth);

/** `console.table`'s lines; undefined for what is no table. */
export function formatTable(data: unknown, properties: unknown): string | undefined {
  return typeof data === 'object' && data !== null ? loaded().formatTable(data, properties) : undefined;
}

/** As `inspect`, within what is left of a budget. */
export const inspectWith: Inspect['inspectWith'] = (value, budget, maxDepth, custom) =>
  loaded().inspectWith(value, budget, maxDepth, custom);
