/** JSON from outside, and what a schema has against it in words. Loaded by threads, too: it needs next to nothing. */

const MAX_JSON_DEPTH = 100;
const MAX_ISSUES_CHARS = 500;

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * `JSON.parse` for input from outside. Throws a plain `Error` that is safe to show when it is no JSON or nested deeper
 * than 100: `JSON.stringify`, here or in whoever gets the value later, overflows the stack at some thousands.
 */
export function parseJson(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  // Each level takes two characters at least: most texts need no look.
  if (text.length > 2 * MAX_JSON_DEPTH && isDeeperThan(json, MAX_JSON_DEPTH)) {
    throw new Error(`its JSON is nested deeper than ${MAX_JSON_DEPTH}`);
  }
  return json;
}

/** Problems as `path: what is wrong`, the first few of them. */
export function describeIssues({ issues }: { readonly issues: readonly Issue[] }): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`))
    .join('; ')
    .slice(0, MAX_ISSUES_CHARS);
}

function isDeeperThan(json: unknown, maxDepth: number): boolean {
  let level = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true;
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
  return false;
}
