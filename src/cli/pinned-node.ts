/** The Node that this version of isola is made for, and how the running one compares: most holes would be in its V8. */
import type { ProbeResult } from './probe.ts';

/** Changed together with `optionalDependencies` in package.json; a test compares. SECURITY.md has the routine. */
export const PINNED_NODE = { node: '26.10.0', v8: '14.6.202.34-node.34', released: '2026-09-22' } as const;

const DAY_MS = 86_400_000;
const OLD_DAYS = 90; // Node's own security releases come every one to three months

export interface RunningNode {
  readonly node: string;
  readonly v8: string;
}

/** Not ok when V8 is older than the pinned one. */
export function compareNode({ node, v8 }: RunningNode, now: number): ProbeResult & { readonly isOld: boolean } {
  const order = compareVersions(v8, PINNED_NODE.v8);
  if (order < 0) {
    const detail = `V8 ${v8} of Node ${node} is older than ${PINNED_NODE.v8}, which isola is made for: run it by bin/isola.mjs`;
    return { ok: false, isOld: true, detail };
  }
  if (order > 0) return { ok: true, isOld: false, detail: `${v8}, newer than the pinned ${PINNED_NODE.v8}` };
  const days = Math.max(0, Math.floor((now - Date.parse(PINNED_NODE.released)) / DAY_MS));
  const isOld = days > OLD_DAYS;
  const advice = isOld ? ': look for a newer isola, its V8 has known holes by now' : '';
  return { ok: true, isOld, detail: `${v8}, as pinned; of ${PINNED_NODE.released}, ${days} days old${advice}` };
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.match(/\d+/g)?.map(Number) ?? []);
  for (const [index, part] of (left ?? []).entries()) {
    const difference = part - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
