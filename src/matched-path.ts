/** What a URL parser would change, or could: dot segments, also as %2e, backslashes, what is not printable ASCII. */
const UNUSUAL = /\/\.|%2e|[\\"<>^`{|}]|[^\x21-\x7e]/i;

/**
 * A path as a URL parser leaves it, which is how the Worker sees it: `/a/../admin` must not get past a route for `/admin`.
 * Takes a query along.
 */
export function toMatchedPath(path: string): string {
  if (!UNUSUAL.test(path)) return path;
  // Not resolved against a base: a path that begins with two slashes would be a host.
  const { pathname, search } = new URL(`http://host${path}`);
  return pathname + search;
}
