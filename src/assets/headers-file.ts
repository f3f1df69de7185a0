/** `_headers`: a line with a path, and below it lines of `name: value`, or `! name` to take a header away. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { MAX_HEADER_RULES } from '../limits.ts';
import type { HeaderRule } from './manifest.ts';
import { Pattern } from './pattern.ts';
import { readLines, type RuleLine, type RuleProblem, toRuleUrl } from './rule-files.ts';

const PATH_LINE = /^(?:[^\s]+:\/\/|\/)/;

/** Not for a site to set: they say how the answer is sent, or are the platform's. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-range',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-isola-ray',
]);

interface Draft {
  readonly line: number;
  readonly path: string;
  readonly set: Map<string, string>;
  readonly unset: string[];
}

/** The rules in order. What is wrong is left out, and told. */
export function parseHeaders(source: string): { rules: HeaderRule[]; problems: RuleProblem[] } {
  const drafts: Draft[] = [];
  const problems: RuleProblem[] = [];
  let draft: Draft | 'skipped' | undefined;
  for (const line of readLines(source, problems)) {
    let problem: string | undefined;
    if (PATH_LINE.test(line.text)) {
      const begun = beginRule(line);
      if (typeof begun === 'string') {
        problem = begun;
        draft = 'skipped';
      } else if (drafts.length >= MAX_HEADER_RULES) {
        problems.push({
          line: line.number,
          reason: `it and what follows is too much; limit is ${MAX_HEADER_RULES} rules`,
        });
        break;
      } else {
        draft = begun;
        drafts.push(begun);
      }
    } else if (draft === undefined) problem = 'a path must come first';
    else if (draft !== 'skipped') problem = addLine(draft, line.text);
    if (problem !== undefined) problems.push({ line: line.number, reason: problem });
  }
  const isEmpty = ({ set, unset }: Draft): boolean => set.size === 0 && unset.length === 0;
  for (const { line } of drafts.filter(isEmpty)) problems.push({ line, reason: 'it has no headers' });
  const rules = drafts
    .filter((draft) => !isEmpty(draft))
    .map(({ path, set, unset }) => ({ path, set: [...set], unset }));
  return { rules, problems };
}

/** Gives the reason when it is none. */
function beginRule({ number, text }: RuleLine): Draft | string {
  const path = toRuleUrl(text);
  if (path === undefined) return `${text} is neither a path nor an https:// URL`;
  if (/^https:\/\/[^/]*:\d+(?:\/|$)/.test(path)) return 'ports are not supported';
  try {
    void new Pattern(path);
  } catch (error) {
    return (error as Error).message;
  }
  return { line: number, path, set: new Map(), unset: [] };
}

function addLine({ set, unset }: Draft, text: string): string | undefined {
  const colon = text.indexOf(':');
  if (colon === -1) {
    if (!text.startsWith('! ')) return 'it is not name: value';
    unset.push(text.slice(2).trim().toLowerCase());
    return undefined;
  }
  const name = text.slice(0, colon).trim().toLowerCase();
  const value = text.slice(colon + 1).trim();
  if (value === '') return 'it has no value';
  if (RESERVED.has(name)) return `${name} cannot be set here`;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    return (error as Error).message;
  }
  const before = set.get(name);
  set.set(name, before === undefined ? value : `${before}, ${value}`);
  return undefined;
}
