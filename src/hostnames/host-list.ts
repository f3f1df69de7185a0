/** Hosts as an operator lists them, compared with those of URLs. */

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * A host name, an IP address, or `*.` and a name for all that is below it (not the name itself), as URLs spell them.
 * Undefined when it is none.
 */
export function parseHostPattern(text: string): string | undefined {
  const isWildcard = text.startsWith('*.');
  const given = isWildcard ? text.slice(2) : text;
  if (/[\s/?#@\\%]/.test(given) || (/:/.test(given) && !/^\[?[\da-f:.]+\]?$/i.test(given))) return undefined;
  const bare = given.replace(/^\[|\]$/g, '');
  const host = URL.parse(`http://${bare.includes(':') ? `[${bare}]` : bare}/`)?.hostname;
  if (host === undefined || host === '') return undefined;
  if (host.startsWith('[')) return isWildcard ? undefined : host;
  const name = canonicalHost(host);
  if (!NAME.test(name)) return undefined;
  return isWildcard ? `*.${name}` : name;
}

/** Whether a canonical host is one of those that a pattern means. */
export function matchesHostPattern(pattern: string, host: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}

/** `example.com.` is the same host as `example.com`. */
export function canonicalHost(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
