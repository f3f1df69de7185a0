/** What all peers have in common once they run. */
import { join } from 'node:path';
import type { Context } from '../lib/context.ts';
import type { Target } from '../lib/load.ts';

export interface Server {
  readonly port: number;
  /** All its processes that are alive now. */
  readonly pids: () => number[];
  /** Where a tenant's Worker answers. */
  readonly target: (name: string) => Target;
  stop(): Promise<void>;
}

/** The program's own output, for the message when it does not start. */
export function errorFile(context: Context, name: string): string {
  return join(context.folder(name), 'stderr.txt');
}

/** Names `prefix0`, `prefix1` … */
export function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** The same Worker everywhere; `text` tells tenants and versions apart. */
export function helloCode(text: string): string {
  return `export default { fetch() { return new Response(${JSON.stringify(text)}); } };`;
}
