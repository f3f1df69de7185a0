/** `_headers`, applied to the answers of the files. */
import type { HeaderRule } from './manifest.ts';
import { type MatchBudget, Pattern, substitute } from './pattern.ts';

export type Field = readonly [name: string, value: string];

export class HeaderRules {
  readonly #rules: readonly (HeaderRule & { readonly pattern: Pattern; readonly hasHost: boolean })[];
  /** What is added depends on the host too. */
  readonly byHost: boolean;

  constructor(rules: readonly HeaderRule[]) {
    this.#rules = rules.map((rule) => ({
      ...rule,
      pattern: new Pattern(rule.path),
      hasHost: rule.path.startsWith('https://'),
    }));
    this.byHost = this.#rules.some(({ hasHost }) => hasHost);
  }

  /**
   * What becomes of the fields of an answer. The first rule that has a name replaces what is there, later ones add to it,
   * and each takes away before it sets.
   */
  apply(
    fields: readonly Field[],
    { host, pathname, budget }: { host: string; pathname: string; budget: MatchBudget },
  ): readonly Field[] {
    if (this.#rules.length === 0) return fields;
    const values = new Map<string, string[]>(fields.map(([name, value]) => [name, [value]]));
    const changed = new Set<string>();
    for (const { pattern, hasHost, set, unset } of this.#rules) {
      const captures = pattern.match(hasHost ? `https://${hostnameOf(host)}${pathname}` : pathname, budget);
      if (captures === undefined) continue;
      for (const name of unset) values.delete(name);
      for (const [name, text] of set) {
        const value = substitute(text, captures);
        if (changed.has(name)) values.set(name, [...(values.get(name) ?? []), value]);
        else values.set(name, [value]);
        changed.add(name);
      }
    }
    return [...values].flatMap(([name, list]): Field[] =>
      name === 'set-cookie' ? list.map((value) => [name, value]) : [[name, list.join(', ')]],
    );
  }
}

function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
