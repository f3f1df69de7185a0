/** A profile as a tree with times. What is in it was written by a Worker: its names are text. */
export interface SampledProfile {
  readonly nodes: readonly SampledNode[];
  /** Ids of nodes, one for each sample. */
  readonly samples?: readonly number[];
  /** µs since the sample before. */
  readonly timeDeltas?: readonly number[];
}

interface SampledNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[] | undefined;
}

export interface Frame {
  readonly name: string;
  /** File and line, where there is one. */
  readonly place: string;
  readonly selfUs: number;
  readonly totalUs: number;
  readonly children: readonly Frame[];
}

const MAX_DEPTH = 200; // what is deeper counts as the work of the function there
const NOT_WORK = new Set(['(idle)', '(program)']);

/** What ran; waiting is left out and told apart. A sample lasts until the next one. */
export function toFrames({ nodes, samples = [], timeDeltas = [] }: SampledProfile): { root: Frame; idleUs: number } {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const selfUs = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    selfUs.set(id, (selfUs.get(id) ?? 0) + Math.max(timeDeltas[index + 1] ?? 0, 0));
  }
  let idleUs = 0;
  const seen = new Set<number>(); // each node once: a tree, whatever was sent
  const descendants = (node: SampledNode): SampledNode[] => {
    const found: SampledNode[] = [];
    const queue = [node];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const id of next.children ?? []) {
        const child = byId.get(id);
        if (child === undefined || seen.has(id)) continue;
        seen.add(id);
        found.push(child);
        queue.push(child);
      }
    }
    return found;
  };
  const toFrame = (node: SampledNode, depth: number): Frame => {
    seen.add(node.id);
    const { functionName, url, lineNumber } = node.callFrame;
    let own = selfUs.get(node.id) ?? 0;
    if (depth === MAX_DEPTH) for (const below of descendants(node)) own += selfUs.get(below.id) ?? 0;
    const children: Frame[] = [];
    for (const id of depth < MAX_DEPTH ? (node.children ?? []) : []) {
      const child = byId.get(id);
      if (child === undefined || seen.has(id)) continue;
      if (NOT_WORK.has(child.callFrame.functionName)) idleUs += selfUs.get(id) ?? 0;
      else children.push(toFrame(child, depth + 1));
    }
    const totalUs = own + children.reduce((sum, child) => sum + child.totalUs, 0);
    const place = url === '' ? '' : `${url}:${lineNumber + 1}`;
    return { name: functionName === '' ? '(anonymous)' : functionName, place, selfUs: own, totalUs, children };
  };
  const [first] = nodes;
  const root =
    first === undefined ? { name: '(root)', place: '', selfUs: 0, totalUs: 0, children: [] } : toFrame(first, 0);
  return { root, idleUs };
}

/** Functions by their own time, whoever called them. */
export function toHottest(root: Frame, count: number): { name: string; place: string; selfUs: number }[] {
  const sums = new Map<string, { name: string; place: string; selfUs: number }>();
  const visit = ({ name, place, selfUs, children }: Frame): void => {
    const key = `${name} ${place}`;
    sums.set(key, { name, place, selfUs: (sums.get(key)?.selfUs ?? 0) + selfUs });
    for (const child of children) visit(child);
  };
  visit(root);
  return [...sums.values()]
    .filter(({ selfUs }) => selfUs > 0)
    .toSorted((a, b) => b.selfUs - a.selfUs)
    .slice(0, count);
}
