import type { HostRule } from '../model.ts';

type Scheme = 'http' | 'https';

/** The rules for one path: of a scheme, of both, as a route, as a custom domain. */
class PathEntry {
  readonly path: string;
  /** Most specific first. */
  #rules: readonly HostRule[] = [];
  /** The longest other entry that this one's path begins with. */
  parent: PathEntry | undefined;

  constructor(path: string) {
    this.path = path;
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  add(rule: HostRule): void {
    this.#rules = [...this.#rules.filter(({ id }) => id !== rule.id), rule].toSorted(
      (a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1),
    );
  }

  remove(id: string): void {
    this.#rules = this.#rules.filter((rule) => rule.id !== id);
  }

  find(scheme: Scheme): HostRule | undefined {
    return this.#rules.find((rule) => rule.scheme === undefined || rule.scheme === scheme);
  }
}

/** One that names a scheme goes before one that does not, a route before a custom domain. */
function rank({ scheme, kind }: HostRule): number {
  return (scheme === undefined ? 2 : 0) + (kind === 'route' ? 0 : 1);
}

/**
 * The rules of one host, or of one wildcard. The longest path wins; of the same path, an exact one goes before one that
 * ends in a wildcard. A look-up is a binary search, however many rules there are.
 */
export class PathRules {
  readonly #exact = new Map<string, PathEntry>();
  readonly #prefixes = new Map<string, PathEntry>();
  /** The prefixes by their text; made anew at the first look-up after a change. */
  #sorted: PathEntry[] | undefined;

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.size === 0;
  }

  add(rule: HostRule): void {
    const entries = rule.isPrefix ? this.#prefixes : this.#exact;
    let entry = entries.get(rule.path);
    if (entry === undefined) entries.set(rule.path, (entry = new PathEntry(rule.path)));
    entry.add(rule);
    this.#sorted = undefined;
  }

  remove({ id, path, isPrefix }: HostRule): void {
    const entries = isPrefix ? this.#prefixes : this.#exact;
    const entry = entries.get(path);
    entry?.remove(id);
    if (entry?.isEmpty === true) entries.delete(path);
    this.#sorted = undefined;
  }

  /** `path` with its query. */
  find(path: string, scheme: Scheme): HostRule | undefined {
    const exact = this.#exact.get(path)?.find(scheme);
    if (exact !== undefined || this.#prefixes.size === 0) return exact;
    let entry = this.#lastUpTo(path);
    for (; entry !== undefined; entry = entry.parent) {
      const rule = path.startsWith(entry.path) ? entry.find(scheme) : undefined;
      if (rule !== undefined) return rule;
    }
    return undefined;
  }

  /** The last prefix that does not sort behind `path`: it, or a parent of it, is the longest that fits. */
  #lastUpTo(path: string): PathEntry | undefined {
    const sorted = (this.#sorted ??= sortPrefixes(this.#prefixes));
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.path <= path) low = middle + 1;
      else high = middle;
    }
    return sorted[low - 1];
  }
}

function sortPrefixes(prefixes: ReadonlyMap<string, PathEntry>): PathEntry[] {
  const sorted = [...prefixes.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  let before: PathEntry | undefined;
  for (const entry of sorted) {
    while (before !== undefined && !entry.path.startsWith(before.path)) before = before.parent;
    entry.parent = before;
    before = entry;
  }
  return sorted;
}
