/** The path and query of a request target, or undefined when it is none that we serve (RFC 9112 §3.2). */
export function toPath(target: string, origin: string): string | undefined {
  if (target.includes('#')) return undefined;
  if (target.startsWith('/')) return target;
  // Absolute form: taken when it agrees with the Host header, or one of the two is up to something.
  if (target.slice(0, origin.length).toLowerCase() !== origin.toLowerCase()) return undefined;
  const rest = target.slice(origin.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : undefined;
}

/** The same target at the port for TLS. */
export function toHttps(host: string, path: string, port: number): string {
  return `https://${host.replace(/:\d*$/, '')}${port === 443 ? '' : `:${port}`}${path}`;
}
