/** The fetch itself: one hop after another until there is a response to hand out. */
import assert from 'node:assert';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import {
  FETCH_WALL_MS,
  MAX_FETCH_RESPONSE_BYTES,
  MAX_LOOP_HOPS,
  MAX_REDIRECTS,
  MAX_REQUEST_HEADER_BYTES,
} from '../limits.ts';
import { LOOP_HEADER, toLoopValue } from '../loop-header.ts';
import { isPublicAddress } from './addresses.ts';
import { createConnector, createGuard, resolveBySystem, type Resolve } from './connect.ts';
import { decodeBody, parseEncodings } from './decode.ts';
import { EgressError, toEgressError } from './errors.ts';
import { headerValue, toGuestHeaders, toOriginHeaders, withoutClient } from './headers.ts';
import { type HostPolicy, refuseHost } from './host-policy.ts';
import { ALL_PORTS, DEFAULT_PORTS, type Ports } from './ports.ts';
import { isRedirect, nextHop, type Hop } from './redirect.ts';
import { type Client, clientHeaders } from './referrer.ts';
import { parseTarget } from './target.ts';
import { createUpgrader, type UpgradedConnection, type Upgrade } from './upgrade.ts';

const RESPONSE_TIMEOUT_MS = 100_000; // without headers, or without a further byte while the guest waits for one
const KEEP_ALIVE_MS = 4_000; // of an idle connection
const MAX_KEEP_ALIVE_MS = 20_000; // however long the origin offers: a hostile one must not make us hoard sockets
const MAX_DISCARDED_BYTES = 16 * 1024; // of a redirect's body, read to keep its connection; beyond, close it
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/; // RFC 9110 §5.6.2 token
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']); // Fetch standard §2.2.1
/** What the Fetch standard has every request say, unless it says otherwise. */
const DEFAULT_HEADERS = [
  ['accept', '*/*'],
  ['accept-language', '*'],
  ['user-agent', 'isola'],
] as const;
const NULL_BODY_STATUSES = new Set([101, 204, 205, 304]);

export interface EgressRequest {
  readonly method: string;
  readonly url: string;
  /** name, value, name, value… */
  readonly headers: readonly string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly redirect: 'error' | 'follow' | 'manual';
  /** Where it comes from, when the guest has said so. */
  readonly client?: Client | undefined;
  /** Which hosts its account may reach; by default all. */
  readonly hosts?: HostPolicy | undefined;
  /** Fetches of Workers that lie before it: each was made while the request of the one before was handled. */
  readonly hops?: number | undefined;
}

export interface EgressResponse {
  readonly status: number;
  readonly statusText: string;
  /** Where the response came from, after redirects, without fragment. */
  readonly url: string;
  readonly redirected: boolean;
  /** name, value, name, value… with names as received. */
  readonly headers: string[];
  /** Read it once, or abort the fetch's signal; otherwise its connection stays open. Fails with an EgressError. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
  /** Of an answer 101: open, and its owner's to close. */
  readonly connection?: UpgradedConnection;
}

export interface Egress extends AsyncDisposable {
  /**
   * Settles when the final response's headers are there. Both bodies go on streaming after that, each no faster than
   * its reader; `signal` ends them too. Rejects with an `EgressError` only. A GET with `upgrade: websocket` asks for a
   * WebSocket; what comes of it may be an ordinary response all the same.
   */
  fetch(request: EgressRequest, signal: AbortSignal): Promise<EgressResponse>;
  /** Ends all fetches at once. */
  close(): Promise<void>;
}

export interface EgressOptions {
  /** Lets tenants reach loopback, private and other special addresses. For development and trusted tenants. */
  readonly allowPrivate: boolean;
  /** Which addresses tenants may reach instead of the public ones: tests have no others than their own. */
  readonly isAllowed?: (address: string) => boolean;
  /** Name resolution; the system's by default. */
  readonly resolve?: Resolve | undefined;
  /** Which ports tenants may reach; by default the usual ones of HTTP, with `allowPrivate` all. */
  readonly ports?: Ports | undefined;
  /** Of a response's body, after decompression. */
  readonly maxResponseBytes?: number;
  /** From the start of a fetch to its response's last byte, in ms. */
  readonly wallMs?: number;
  /** How long to wait for response headers, and for each further part of the body, in ms. */
  readonly responseTimeoutMs?: number;
}

export function createEgress({
  allowPrivate,
  isAllowed = allowPrivate ? () => true : isPublicAddress,
  resolve = resolveBySystem,
  ports = allowPrivate ? ALL_PORTS : DEFAULT_PORTS,
  maxResponseBytes = MAX_FETCH_RESPONSE_BYTES,
  wallMs = FETCH_WALL_MS,
  responseTimeoutMs = RESPONSE_TIMEOUT_MS,
}: EgressOptions): Egress {
  const guard = { isAllowed, resolve };
  const agent = new Agent({
    connect: createConnector(guard),
    headersTimeout: responseTimeoutMs,
    bodyTimeout: responseTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    maxHeaderSize: MAX_REQUEST_HEADER_BYTES,
  });
  const upgrader = createUpgrader({ guard: createGuard(guard), timeoutMs: responseTimeoutMs });
  const close = (): Promise<void> => {
    upgrader.close();
    return agent.destroy();
  };
  return {
    fetch: (request, signal) => {
      const sendHop: Upgrade = isUpgrade(request) ? upgrader.upgrade : (hop) => send(agent, hop, signal);
      return followRedirects(request, signal, { sendHop, ports, maxResponseBytes, endsAt: performance.now() + wallMs });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** An origin's answer to one hop. */
export interface HopResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly string[];
  readonly body: Readable;
  /** Lets go of a body that nobody wants. */
  readonly discard: () => void;
  readonly connection?: UpgradedConnection;
}

interface Way {
  readonly sendHop: Upgrade;
  readonly ports: Ports;
  readonly maxResponseBytes: number;
  readonly endsAt: number;
}

async function followRedirects(request: EgressRequest, signal: AbortSignal, way: Way): Promise<EgressResponse> {
  let hop = parseHop(request);
  for (let redirects = 0; ; redirects += 1) {
    if (signal.aborted) throw aborted();
    checkHop(hop, request.hosts, way);
    let response: HopResponse;
    try {
      response = await way.sendHop(hop, signal);
    } catch (error) {
      throw signal.aborted ? aborted() : toEgressError(error, hop.url.origin);
    }
    const location = isRedirect(response.status) ? headerValue(response.headers, 'location') : undefined;
    if (location === undefined || request.redirect === 'manual')
      return toResponse(response, { hop, redirects, signal, way });
    response.discard();
    if (request.redirect === 'error') {
      throw new EgressError(`Redirect refused: ${hop.url.origin} answered ${response.status}, and redirect is 'error'`);
    }
    if (redirects === MAX_REDIRECTS) throw new EgressError(`Too many redirects: more than ${MAX_REDIRECTS}`);
    const policy = headerValue(response.headers, 'referrer-policy') ?? '';
    hop = nextHop(hop, response.status, { location, policy });
  }
}

/** Of each hop anew: a redirect must not lead to what the tenant may not ask for itself. */
function checkHop({ url }: Hop, hosts: HostPolicy | undefined, { ports, endsAt }: Way): void {
  const refused = ports.refuse(url) ?? (hosts && refuseHost(url, hosts));
  if (refused !== undefined) throw new EgressError(refused);
  if (performance.now() > endsAt) throw tooLong(url.origin);
}

function parseHop({ method, url, headers, body, client, hops = 0 }: EgressRequest): Hop {
  if (!METHOD.test(method) || FORBIDDEN_METHODS.has(method.toUpperCase())) {
    throw new EgressError('Cannot fetch: this method is not allowed');
  }
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new EgressError(`Cannot fetch: ${method} with a body`);
  }
  if (hops > MAX_LOOP_HOPS) {
    throw new EgressError(
      `Loop refused: this fetch is the ${hops + 1}th of Workers that fetch one another, limit is ${MAX_LOOP_HOPS + 1}`,
    );
  }
  const sent = [...toOriginHeaders(headers), LOOP_HEADER, toLoopValue(hops + 1)];
  return { method, url: parseTarget(url), headers: sent, body, client };
}

function isUpgrade({ method, headers }: EgressRequest): boolean {
  return method === 'GET' && headerValue(headers, 'upgrade')?.toLowerCase() === 'websocket';
}

async function send(agent: Agent, hop: Hop, signal: AbortSignal): Promise<HopResponse> {
  const { statusCode, statusText, headers, body } = await agent.request({
    origin: hop.url.origin,
    path: hop.url.pathname + hop.url.search,
    method: hop.method,
    headers: toSentHeaders(hop),
    body: toUndiciBody(hop.body),
    responseHeaders: 'raw',
    signal,
  });
  return {
    status: statusCode,
    statusText,
    headers: toFlatList(headers),
    body,
    discard: () => void body.dump({ limit: MAX_DISCARDED_BYTES, signal }).catch(() => {}),
  };
}

function toSentHeaders({ headers, client, url, method }: Hop): string[] {
  const said = client === undefined ? [] : clientHeaders(client, url, method);
  const sent = said.length === 0 ? [...headers] : [...withoutClient(headers), ...said];
  for (const [name, value] of DEFAULT_HEADERS) if (headerValue(headers, name) === undefined) sent.push(name, value);
  return sent;
}

/** `responseHeaders: 'raw'` makes it the flat list as received, which undici's types do not know. */
function toFlatList(headers: unknown): readonly string[] {
  assert(Array.isArray(headers));
  return headers;
}

function toUndiciBody(body: Hop['body']): Readable | Uint8Array | null {
  if (body === undefined) return null;
  if (body instanceof Uint8Array) return body;
  return Readable.from(body, { objectMode: false });
}

interface Arrival {
  readonly hop: Hop;
  readonly redirects: number;
  readonly signal: AbortSignal;
  readonly way: Way;
}

function toResponse(response: HopResponse, arrival: Arrival): EgressResponse {
  const { hop, redirects } = arrival;
  const { headers, connection } = response;
  const hasBody = hop.method !== 'HEAD' && !NULL_BODY_STATUSES.has(response.status);
  if (!hasBody) response.discard();
  response.body.on('error', () => {}); // a body that nobody reads may fail too
  const encodings = hasBody ? parseEncodings(headerValue(headers, 'content-encoding')) : undefined;
  const url = new URL(hop.url);
  url.hash = '';
  return {
    status: response.status,
    statusText: response.statusText,
    url: url.href,
    redirected: redirects > 0,
    headers: toGuestHeaders(headers, { decoded: encodings !== undefined }),
    body: hasBody ? readBody(decodeBody(response.body, encodings ?? []), arrival) : undefined,
    ...(connection === undefined ? {} : { connection }),
  };
}

/** The body with errors in the tenant's words. Leaving the loop early closes the connection. */
async function* readBody(body: AsyncIterable<Uint8Array>, { hop, signal, way }: Arrival): AsyncGenerator<Uint8Array> {
  const { origin } = hop.url;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > way.maxResponseBytes) {
        throw new EgressError(`Response refused: body from ${origin} is longer than ${way.maxResponseBytes} bytes`);
      }
      // No timer: without a further chunk, the wait for it ends by itself.
      if (performance.now() > way.endsAt) throw tooLong(origin);
      yield chunk;
    }
  } catch (error) {
    throw signal.aborted ? aborted() : toEgressError(error, origin);
  }
}

function tooLong(origin: string): EgressError {
  return new EgressError(`Response timed out: the fetch from ${origin} has taken longer than this platform allows`);
}

function aborted(): EgressError {
  return new EgressError('The fetch was cancelled');
}
