/** The fetch itself: one hop after another until there is a response to hand out. */
import assert from 'node:assert';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { MAX_REDIRECTS, MAX_REQUEST_HEADER_BYTES } from '../limits.ts';
import { createConnector, createGuard, resolveBySystem, type Resolve } from './connect.ts';
import { decodeBody, parseEncodings } from './decode.ts';
import { EgressError, toEgressError } from './errors.ts';
import { headerValue, toGuestHeaders, toOriginHeaders, withoutClient } from './headers.ts';
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

export interface Egress {
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
  /** Name resolution; the system's by default. */
  readonly resolve?: Resolve;
  /** How long to wait for response headers, and for each further part of the body, in ms. */
  readonly responseTimeoutMs?: number;
}

export function createEgress({
  allowPrivate,
  resolve = resolveBySystem,
  responseTimeoutMs = RESPONSE_TIMEOUT_MS,
}: EgressOptions): Egress {
  const guard = { allowPrivate, resolve };
  const agent = new Agent({
    connect: createConnector(guard),
    headersTimeout: responseTimeoutMs,
    bodyTimeout: responseTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    maxHeaderSize: MAX_REQUEST_HEADER_BYTES,
  });
  const upgrader = createUpgrader({ guard: createGuard(guard), timeoutMs: responseTimeoutMs });
  return {
    fetch: (request, signal) =>
      followRedirects(request, signal, isUpgrade(request) ? upgrader.upgrade : (hop) => send(agent, hop, signal)),
    close: () => {
      upgrader.close();
      return agent.destroy();
    },
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

async function followRedirects(request: EgressRequest, signal: AbortSignal, sendHop: Upgrade): Promise<EgressResponse> {
  let hop = parseHop(request);
  for (let redirects = 0; ; redirects += 1) {
    if (signal.aborted) throw aborted();
    let response: HopResponse;
    try {
      response = await sendHop(hop, signal);
    } catch (error) {
      throw signal.aborted ? aborted() : toEgressError(error, hop.url.origin);
    }
    const location = isRedirect(response.status) ? headerValue(response.headers, 'location') : undefined;
    if (location === undefined || request.redirect === 'manual') return toResponse(response, hop, redirects, signal);
    response.discard();
    if (request.redirect === 'error') {
      throw new EgressError(`Redirect refused: ${hop.url.origin} answered ${response.status}, and redirect is 'error'`);
    }
    if (redirects === MAX_REDIRECTS) throw new EgressError(`Too many redirects: more than ${MAX_REDIRECTS}`);
    const policy = headerValue(response.headers, 'referrer-policy') ?? '';
    hop = nextHop(hop, response.status, { location, policy });
  }
}

function parseHop({ method, url, headers, body, client }: EgressRequest): Hop {
  if (!METHOD.test(method) || FORBIDDEN_METHODS.has(method.toUpperCase())) {
    throw new EgressError('Cannot fetch: this method is not allowed');
  }
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new EgressError(`Cannot fetch: ${method} with a body`);
  }
  return { method, url: parseTarget(url), headers: toOriginHeaders(headers), body, client };
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

function toResponse(response: HopResponse, hop: Hop, redirects: number, signal: AbortSignal): EgressResponse {
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
    body: hasBody ? readBody(decodeBody(response.body, encodings ?? []), hop.url.origin, signal) : undefined,
    ...(connection === undefined ? {} : { connection }),
  };
}

/** The body with errors in the tenant's words. Leaving the loop early closes the connection. */
async function* readBody(
  body: AsyncIterable<Uint8Array>,
  target: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw signal.aborted ? aborted() : toEgressError(error, target);
  }
}

function aborted(): EgressError {
  return new EgressError('The fetch was cancelled');
}
