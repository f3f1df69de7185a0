/**
 * What is wrong with a request that node:http has let through. Strict, because of whoever stands in front: a request that
 * two servers read in two ways is how one client gets into another's (request smuggling).
 */
import type { IncomingMessage } from 'node:http';
import type { PageName } from './pages.ts';

/** Methods that a Worker cannot have (Fetch standard §2.2.1), and those of RTSP and Icecast, which the parser knows. */
const REFUSED_METHODS: ReadonlySet<string | undefined> = new Set(
  (
    'CONNECT TRACE TRACK SOURCE DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT RECORD ' +
    'FLUSH PRI'
  ).split(' '),
);
/** RFC 9110 §6.5.1: fields that may not come behind the body, where they could not be acted on any more. */
const NO_TRAILERS: ReadonlySet<string> = new Set(
  (
    'authorization cache-control connection content-encoding content-length content-range content-type cookie expect ' +
    'forwarded host max-forwards proxy-authorization range te trailer transfer-encoding upgrade x-forwarded-for ' +
    'x-forwarded-host x-forwarded-proto'
  ).split(' '),
);
const HOST = /^(?:[a-z0-9._-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i;
const KNOWN_HOSTS = 2_000;
const knownHosts = new Set<string>();

/** Of HTTP/1.1: which page it gets instead of an answer. */
export function findFault(req: IncomingMessage): PageName | undefined {
  if (req.httpVersionMajor !== 1) return 'badVersion';
  if (isRefusedMethod(req.method)) return 'badMethod';
  const encoding = req.headers['transfer-encoding'];
  if (encoding !== undefined) {
    if (req.httpVersionMinor === 0) return 'badRequest'; // RFC 9112 §6.1
    if (encoding !== 'chunked' && encoding.trim().toLowerCase() !== 'chunked') return 'badEncoding';
  }
  return countHosts(req.rawHeaders) === 1 ? undefined : 'badHost';
}

/** No Worker answers to it. */
export function isRefusedMethod(method: string | undefined): boolean {
  return method !== 'GET' && REFUSED_METHODS.has(method);
}

/** A host name or an address, with a port or without. */
export function isHost(host: string): boolean {
  if (knownHosts.has(host)) return true;
  if (!HOST.test(host)) return false;
  const port = /:(\d+)$/.exec(host)?.[1];
  if (port !== undefined && Number(port) > 65_535) return false;
  if (knownHosts.size >= KNOWN_HOSTS) knownHosts.clear();
  knownHosts.add(host);
  return true;
}

/** Name and value by turns. */
export function hasBadTrailers(rawTrailers: readonly string[] | undefined): boolean {
  if (rawTrailers === undefined || rawTrailers.length === 0) return false;
  return rawTrailers.some((name, at) => at % 2 === 0 && NO_TRAILERS.has(name.toLowerCase()));
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && (name === 'Host' || name.toLowerCase() === 'host')) count++;
  }
  return count;
}
