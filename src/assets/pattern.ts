/**
 * Patterns of `_headers`, `_redirects` and `run_worker_first`. Not regular expressions: a tenant writes them, everybody
 * waits for them, and those that backtrack can take for ever.
 */

const MATCH_STEPS = 20_000; // characters looked at again, for one request: half a millisecond at worst

/** What a request may spend on patterns. When it is used up, no more of them match. */
export class MatchBudget {
  left = MATCH_STEPS;
}

export type Captures = ReadonlyMap<string, string>;

/** A literal, or what takes characters: at least `min`, none of `stops`. */
type Token =
  | { readonly literal: string }
  | { readonly literal: undefined; readonly name: string; readonly min: 0 | 1; readonly stops: string };

const PLACEHOLDER = /\*|:([A-Za-z]\w*)/g;

export class Pattern {
  readonly #tokens: readonly Token[];

  /** Throws when a name is there twice: `*` is `:splat`. */
  constructor(text: string) {
    this.#tokens = parse(text);
  }

  match(text: string, budget: MatchBudget): Captures | undefined {
    const captures = new Map<string, string>();
    return matchFrom(this.#tokens, 0, { text, at: 0, captures, budget }) ? captures : undefined;
  }
}

/** Stars only, any number of them. */
export class Glob {
  readonly #tokens: readonly Token[];

  constructor(text: string) {
    this.#tokens = text
      .split('*')
      .flatMap((literal, i): Token[] => [...(i === 0 ? [] : [SPLAT]), ...(literal === '' ? [] : [{ literal }])]);
  }

  test(text: string, budget: MatchBudget): boolean {
    return matchFrom(this.#tokens, 0, { text, at: 0, captures: new Map(), budget });
  }
}

const SPLAT: Token = { literal: undefined, name: 'splat', min: 0, stops: '' };

/** Whether a rule's path has `*` or `:name` in it. */
export function isDynamic(text: string): boolean {
  return text.search(PLACEHOLDER) !== -1;
}

/** Puts what was captured in place of `:name`. */
export function substitute(text: string, captures: Captures): string {
  return text.replace(PLACEHOLDER, (whole, name: string | undefined) =>
    name === undefined ? whole : (captures.get(name) ?? whole),
  );
}

function parse(text: string): Token[] {
  const pathAt = text.startsWith('https://') ? text.indexOf('/', 'https://'.length) : 0;
  const tokens: Token[] = [];
  const seen = new Set<string>();
  let at = 0;
  for (const { 0: whole, 1: name = 'splat', index } of text.matchAll(PLACEHOLDER)) {
    if (seen.has(name)) throw new SyntaxError(`':${name}' is there more than once`);
    seen.add(name);
    if (index > at) tokens.push({ literal: text.slice(at, index) });
    const isInHost = pathAt === -1 || index < pathAt;
    tokens.push(whole === '*' ? SPLAT : { literal: undefined, name, min: 1, stops: isInHost ? '/.' : '/' });
    at = index + whole.length;
  }
  if (at < text.length) tokens.push({ literal: text.slice(at) });
  return tokens;
}

interface Matching {
  readonly text: string;
  readonly at: number;
  readonly captures: Map<string, string>;
  readonly budget: MatchBudget;
}

function matchFrom(tokens: readonly Token[], first: number, { text, at, captures, budget }: Matching): boolean {
  const token = tokens[first];
  if (token === undefined) return at === text.length;
  const after = first + 1;
  if (token.literal !== undefined) {
    if (!text.startsWith(token.literal, at)) return false;
    return matchFrom(tokens, after, { text, at: at + token.literal.length, captures, budget });
  }
  const most = endOf(token.stops, text, at);
  const literal = tokens[after]?.literal;
  // The last literal can only be at the end, and the last capture only take the rest.
  const isLast = tokens.length - after <= (literal === undefined ? 0 : 1);
  let end = isLast ? text.length - (literal?.length ?? 0) : most;
  // As many characters as possible, as a regular expression would take them.
  while (end <= most && end >= at + token.min) {
    if (literal !== undefined && !isLast) {
      const found = text.lastIndexOf(literal, end);
      budget.left -= end - found;
      end = found;
      if (end < at + token.min) return false;
    }
    if (budget.left-- <= 0) return false;
    if (matchFrom(tokens, after, { text, at: end, captures, budget })) {
      captures.set(token.name, text.slice(at, end));
      return true;
    }
    if (isLast) return false;
    end--;
  }
  return false;
}

function endOf(stops: string, text: string, at: number): number {
  let end = text.length;
  for (const stop of stops) {
    const found = text.indexOf(stop, at);
    if (found !== -1 && found < end) end = found;
  }
  return end;
}
