/** `{{host}}` and its like in files named `*.sub.*`, as wptserve fills them in. */

import type { IncomingHttpHeaders } from 'node:http';

export interface Addresses {
  readonly host: string;
  /** Two of plain HTTP: two origins. */
  readonly ports: readonly [number, number];
}

/** Unknown expressions become empty: there is one host, and no TLS. */
export function substitute(
  text: string,
  { host, ports }: Addresses,
  request?: URL,
  headers: IncomingHttpHeaders = {},
): string {
  const known = (expression: string): string => {
    const port = /^ports\[(http|ws|https|wss|h2)\]\[([01])\]$/.exec(expression);
    if (port !== null) return String(ports[Number(port[2])]);
    if (/^(host|domains\[.*\]|hosts\[\]\[.*\])$/.test(expression)) return host;
    if (expression.startsWith('hosts[alt]')) return '127.0.0.1';
    const query = /^GET\[(.*)\]$/.exec(expression);
    if (query !== null) return request?.searchParams.get(query[1] ?? '') ?? '';
    const header = /^headers\[(.*)\]$/.exec(expression);
    if (header !== null) return String(headers[header[1] ?? ''] ?? '');
    const place = /^location\[(server|scheme|host|hostname|port|path|pathname|query)\]$/.exec(expression);
    if (place !== null && request !== undefined) return locate(request, place[1] ?? '');
    return expression === 'uuid()' ? crypto.randomUUID() : '';
  };
  return text.replace(/\{\{([^}]*)\}\}/g, (_, expression: string) => known(expression.trim()));
}

function locate(url: URL, part: string): string {
  if (part === 'server') return url.origin;
  if (part === 'scheme') return url.protocol.slice(0, -1);
  if (part === 'host') return url.host;
  if (part === 'hostname') return url.hostname;
  if (part === 'port') return url.port;
  return part === 'query' ? url.search : url.pathname;
}
