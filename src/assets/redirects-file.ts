/** `_redirects`: lines of `from to [status]`. */
import { MAX_DYNAMIC_REDIRECTS, MAX_STATIC_REDIRECTS } from '../limits.ts';
import type { HtmlHandling, RedirectRule } from './manifest.ts';
import { isDynamic, Pattern } from './pattern.ts';
import { readLines, type RuleProblem, toRuleUrl } from './rule-files.ts';

const STATUSES: ReadonlySet<string> = new Set(['200', '301', '302', '303', '307', '308']);

/** The rules in order. What is wrong is left out, and told. */
export function parseRedirects(
  source: string,
  { htmlHandling }: { htmlHandling: HtmlHandling },
): { rules: RedirectRule[]; problems: RuleProblem[] } {
  const rules: RedirectRule[] = [];
  const problems: RuleProblem[] = [];
  const seen = new Set<string>();
  let statics = 0;
  let dynamics = 0;
  for (const { number, text } of readLines(source, problems)) {
    const parsed = parseLine(text, htmlHandling);
    if (typeof parsed === 'string') {
      problems.push({ line: number, reason: parsed });
      continue;
    }
    if (seen.has(parsed.from)) {
      problems.push({ line: number, reason: `there is a rule for ${parsed.from} already` });
      continue;
    }
    // Behind a dynamic rule each one is tried in turn, and counts like one.
    const isStatic = dynamics === 0 && !isDynamic(parsed.from);
    if (isStatic ? ++statics > MAX_STATIC_REDIRECTS : ++dynamics > MAX_DYNAMIC_REDIRECTS) {
      const limits = `${MAX_STATIC_REDIRECTS} static rules and ${MAX_DYNAMIC_REDIRECTS} others`;
      problems.push({ line: number, reason: `it is one too many; the limits are ${limits}` });
      if (!isStatic) break;
      continue;
    }
    seen.add(parsed.from);
    rules.push(parsed);
  }
  return { rules, problems };
}

/** Gives the reason when it is no rule. */
function parseLine(text: string, htmlHandling: HtmlHandling): RedirectRule | string {
  const tokens = text.replace(/\s+#.*$/, '').split(/\s+/);
  const [source = '', target, status = '302'] = tokens;
  if (target === undefined || tokens.length > 3) return `it has ${tokens.length} words, and takes 2 or 3`;
  if (source.startsWith('https://')) return 'it begins with a host; redirects go by the path alone';
  const from = toRuleUrl(source.startsWith('/') ? source : `/${source}`)?.replace(/[?#].*$/s, '');
  if (from === undefined) return `${source} is no path`;
  const to = toRuleUrl(target);
  if (to === undefined) return `${target} is neither a path nor an https:// URL`;
  if (!STATUSES.has(status)) return `the status is ${status}; allowed are ${[...STATUSES].join(', ')}`;
  const isPath = to.startsWith('/');
  if (status === '200' && !isPath) return 'with status 200 the target must be a path';
  const isIndex = isPath && /\/index(?:\.html)?$/.test(to);
  if (isIndex && (from.endsWith('/*') || (from.endsWith('/') && htmlHandling !== 'none'))) {
    return 'it would go round in circles: /index and .html are taken off again';
  }
  try {
    void new Pattern(from);
  } catch (error) {
    return (error as Error).message;
  }
  return { from, to, status: Number(status) };
}
