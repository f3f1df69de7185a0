/** Which ports tenants may reach. */

/**
 * Where the public web answers: HTTP's own ports and those that large proxies serve besides. A database, a mail relay or
 * an admin interface that somebody left open to the internet is on another one.
 */
const DEFAULT_LIST = '80,443,2052,2053,2082,2083,2086,2087,2095,2096,8080,8443,8880';
const MAX_PORT = 65_535;
const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export interface Ports {
  /** Why not to fetch this URL, when its port is not among them. */
  refuse(url: URL): string | undefined;
}

export const ALL_PORTS: Ports = { refuse: () => undefined };
export const DEFAULT_PORTS = createPorts(DEFAULT_LIST);

/** `80,443,8000-8999` or `any`. Throws on anything else. */
export function parsePorts(text: string): Ports {
  if (text === 'any') return ALL_PORTS;
  const wrong = text.split(',').find((part) => toRange(part) === undefined);
  if (wrong === undefined) return createPorts(text);
  throw new TypeError(`Cannot use port ${wrong}: allowed are 1 to ${MAX_PORT}, and ranges such as 8000-8999`);
}

function createPorts(text: string): Ports {
  const allowed = new Set<number>();
  for (const part of text.split(',')) {
    const [first = 0, last = 0] = toRange(part) ?? [];
    for (let port = first; port <= last; port++) allowed.add(port);
  }
  return {
    refuse(url) {
      const port = url.port === '' ? DEFAULT_PORT[url.protocol] : Number(url.port);
      if (port !== undefined && allowed.has(port)) return undefined;
      return `Cannot fetch: port is ${port}, allowed on this platform are ${text}`;
    },
  };
}

function toRange(text: string): readonly [first: number, last: number] | undefined {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  return from !== undefined && first >= 1 && first <= last && last <= MAX_PORT ? [first, last] : undefined;
}
