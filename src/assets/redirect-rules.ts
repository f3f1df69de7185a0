/** `_redirects`, applied to the path of a request. */
import type { RedirectRule } from './manifest.ts';
import { type Captures, isDynamic, type MatchBudget, Pattern, substitute } from './pattern.ts';

const NOTHING: Captures = new Map();

export interface RedirectTarget {
  readonly status: number;
  /** A path or an absolute URL. */
  readonly to: string;
}

export class RedirectRules {
  /** Those before the first dynamic one: a look-up. */
  readonly #statics = new Map<string, RedirectRule>();
  readonly #dynamics: { readonly pattern: Pattern; readonly rule: RedirectRule }[] = [];

  constructor(rules: readonly RedirectRule[]) {
    for (const rule of rules) {
      if (this.#dynamics.length === 0 && !isDynamic(rule.from)) this.#statics.set(rule.from, rule);
      else this.#dynamics.push({ pattern: new Pattern(rule.from), rule });
    }
  }

  find(pathname: string, budget: MatchBudget): RedirectTarget | undefined {
    const known = this.#statics.get(pathname);
    if (known !== undefined) return toTarget(known, NOTHING);
    for (const { pattern, rule } of this.#dynamics) {
      const captures = pattern.match(pathname, budget);
      if (captures !== undefined) return toTarget(rule, captures);
    }
    return undefined;
  }
}

function toTarget({ status, to }: RedirectRule, captures: Captures): RedirectTarget {
  const target = substitute(to, captures);
  if (!to.startsWith('/') || to.startsWith('//')) return { status, to: target };
  // What was captured may begin with a slash or a backslash: `/:splat` must not become `//evil.example`.
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  return { status, to: path.replaceAll(/[/\\]+/g, '/') + (end === -1 ? '' : target.slice(end)) };
}
