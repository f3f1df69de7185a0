import type { ClientIn } from './client-io.ts';
import { HOP_BY_HOP } from './hop-by-hop.ts';

const NAME_CACHE_ENTRIES = 2_000;
const DROPPED = '';

/**
 * Headers that do not reach the Worker: those of the connection, `expect`, which node:http has dealt
 * with, and those that the gateway sets itself, so that a client cannot forge them.
 */
const NOT_FORWARDED: readonly string[] = [...HOP_BY_HOP, 'expect', 'cf-connecting-ip', 'x-real-ip', 'x-isola-ray'];

/** Header names as clients write them → lower case, or `DROPPED`: one look-up does both. */
const names = new Map<string, string>();

export interface RequestHeadParts {
  readonly ray: string;
  readonly version: string;
  readonly clientIp: string;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Path and query, beginning with a slash. */
  readonly path: string;
  readonly rawHeaders: readonly string[];
  /** The Connection header: it may name more headers that end here. */
  readonly connection: string | undefined;
  /** It asks for a WebSocket. */
  readonly isUpgrade: boolean;
  /** The `traceparent` of a request that is traced: the cell hears of it, and the Worker gets it. */
  readonly trace: string | undefined;
}

/** `ray\nversion\nclientIp\nmethod\nurl` and then name and value by turns. node:http lets no newline into any of them. */
export function toRequestHead(parts: RequestHeadParts): string {
  const { ray, clientIp, rawHeaders, trace } = parts;
  const ending = endingHeaders(parts.connection);
  const marked = trace === undefined ? ray : `${ray} ${trace}`;
  let head = `${marked}\n${parts.version}\n${clientIp}\n${parts.method}\n${parts.scheme}://${parts.host}${parts.path}`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] ?? '';
    const name = names.get(raw) ?? learnName(raw);
    if (name === DROPPED || ending?.includes(name) === true) continue;
    if (trace !== undefined && name === 'traceparent') continue;
    head += `\n${name}\n${rawHeaders[i + 1] ?? ''}`;
  }
  if (trace !== undefined) head += `\ntraceparent\n${trace}`;
  if (parts.isUpgrade) head += '\nconnection\nUpgrade\nupgrade\nwebsocket';
  return `${head}\ncf-connecting-ip\n${clientIp}\nx-real-ip\n${clientIp}\nx-isola-ray\n${ray}`;
}

/** Bytes of body announced: 0 for none, undefined when they come in chunks. */
export function announcedBody({
  headers,
  endsWithHead,
}: Pick<ClientIn, 'headers' | 'endsWithHead'>): number | undefined {
  if (endsWithHead === true) return 0;
  if (headers['transfer-encoding'] !== undefined) return undefined;
  const length = headers['content-length'];
  // HTTP/2 may go on after a length of 0: with an empty end, or with bytes that make it malformed.
  if (endsWithHead === false && Number(length ?? 0) === 0) return undefined;
  if (length === undefined) return 0;
  return Number(length); // digits only: the parser has seen to that
}

function endingHeaders(connection: string | undefined): string[] | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return connection
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== 'host'); // RFC 9110 §7.6.1 forbids naming it; without it the Worker has no host
}

function learnName(raw: string): string {
  const lower = raw.toLowerCase();
  const name = NOT_FORWARDED.includes(lower) ? DROPPED : lower;
  if (names.size >= NAME_CACHE_ENTRIES) names.clear();
  names.set(raw, name);
  return name;
}
