/** What `_redirects` and `_headers` have in common: lines, limits, and how a line that is wrong is told of. */

export const MAX_LINE_CHARS = 2_000;

/** A line that was left out, and why. */
export interface RuleProblem {
  readonly line: number;
  readonly reason: string;
}

export interface RuleLine {
  /** Counted from 1. */
  readonly number: number;
  /** Without space around it. */
  readonly text: string;
}

/** All lines but empty ones and comments. */
export function* readLines(source: string, problems: RuleProblem[]): Generator<RuleLine> {
  for (const [index, line] of source.split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const number = index + 1;
    if (text.length > MAX_LINE_CHARS) {
      problems.push({ line: number, reason: `it is ${text.length} characters long, limit is ${MAX_LINE_CHARS}` });
    } else yield { number, text };
  }
}

const HTTPS_URL = /^https:\/\/+([^/]+)\/?(.*)/;

/**
 * A rule's URL in the form in which requests are compared with it: a path, or `https://host/path`. Undefined when it is
 * neither.
 */
export function toRuleUrl(text: string): string | undefined {
  const absolute = HTTPS_URL.exec(text);
  if (absolute === null) return text.startsWith('/') ? toRulePath(text) : undefined;
  const path = toRulePath(`/${absolute[2] ?? ''}`);
  return path && `https://${absolute[1]}${path}`;
}

/** The path as the URL standard has it, with query and fragment. */
function toRulePath(path: string): string | undefined {
  // The first slash ends the host, so that what follows two of them is none.
  const url = URL.parse(`https://host${path}`);
  return url === null ? undefined : `${url.pathname}${url.search}${url.hash}`;
}
