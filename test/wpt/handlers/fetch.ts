/** fetch/api/resources and what else the tests of fetch ask for. */
import { type Answer, type Handler, pause, type TestRequest } from './handler.ts';

const PLAIN = ['Content-Type', 'text/plain'] as const;

const redirect: Handler = async (request) => {
  const origin = request.header('origin');
  const headers: [string, string][] = [
    ['Content-Type', 'text/plain'],
    ['Cache-Control', 'no-cache'],
    ['Pragma', 'no-cache'],
    ['Access-Control-Allow-Origin', origin ?? '*'],
    ...(origin === undefined ? [] : [['Access-Control-Allow-Credentials', 'true'] as [string, string]]),
  ];
  const token = request.query('token');
  const stashed = token === undefined ? undefined : (request.take(token) as { count: number } | undefined);
  const count = (stashed?.count ?? 0) + 1;
  const location = request.query('location');
  if (location !== undefined) headers.push(['Location', toLocation(request, location, count)]);
  const policy = request.query('redirect_referrerpolicy');
  if (policy !== undefined) headers.push(['Referrer-Policy', policy]);
  await pause(request, Number(request.query('delay') ?? 0));
  if (token !== undefined) {
    request.stash.set(token, { count });
    const max = request.query('max_count');
    if (max !== undefined && count > Number(max)) return { body: String(count - 1) };
  }
  return { status: Number(request.query('redirect_status') ?? 302), headers };
};

/** Keeps the query on the way, and makes the location differ each time, lest it be taken for a loop. */
function toLocation(request: TestRequest, location: string, count: number): string {
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(location)?.[1] ?? '';
  if (request.query('simple') !== undefined || !['', 'http', 'https'].includes(scheme)) return location;
  const rest = request.queries.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&');
  return `${location}${location.includes('?') ? '&' : '?'}${rest}&count=${count}`;
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}

const status: Handler = (request) => ({
  status: Number(request.query('code') ?? 200),
  statusText: request.query('text') ?? 'OMG',
  headers: [
    ['Content-Type', request.query('type') ?? ''],
    ['X-Request-Method', request.method],
  ],
  body: Buffer.from(request.query('content') ?? '', 'latin1'),
});

const method: Handler = async (request) => ({
  headers: [
    ['x-request-method', request.method],
    ['x-request-content-type', request.header('content-type') ?? 'NO'],
    ['x-request-content-length', request.header('content-length') ?? 'NO'],
    ['x-request-content-encoding', request.header('content-encoding') ?? 'NO'],
    ['x-request-content-language', request.header('content-language') ?? 'NO'],
    ['x-request-content-location', request.header('content-location') ?? 'NO'],
  ],
  body: await request.body(),
});

const echoContent: Handler = async (request) => ({
  headers: [
    ['X-Request-Method', request.method],
    ['X-Request-Content-Length', request.header('content-length') ?? 'NO'],
    ['X-Request-Content-Type', request.header('content-type') ?? 'NO'],
    PLAIN,
  ],
  body: await request.body(),
});

const echoContentEscaped: Handler = async (request) => {
  const escaped = Array.from(await request.body(), (byte) => {
    if (byte === 0x5c) return '\\\\';
    return byte < 0x20 || byte >= 0x7f ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte);
  });
  return { headers: [PLAIN], body: escaped.join('').replaceAll('\\x0d\\x0a', '\r\n') };
};

const inspectHeaders: Handler = (request) => {
  const names = (request.query('headers') ?? '').split('|').filter((name) => name !== '');
  const seen = names.flatMap((name): [string, string][] => {
    const value = request.header(name.toLowerCase());
    return value === undefined ? [] : [[`x-request-${name}`, value]];
  });
  const cors: [string, string][] =
    request.query('cors') === undefined
      ? []
      : [
          ['Access-Control-Allow-Origin', request.header('origin') ?? '*'],
          ['Access-Control-Allow-Credentials', 'true'],
          ['Access-Control-Expose-Headers', names.map((name) => `x-request-${name}`).join(', ')],
        ];
  return { headers: [...seen, ...cors, PLAIN] };
};

const trickle: Handler = async (request) => {
  const delayMs = Number(request.query('ms') ?? 500);
  const count = Number(request.query('count') ?? 50);
  await request.body();
  await pause(request, delayMs);
  request.response.writeHead(200, request.query('notype') === undefined ? { 'Content-Type': 'text/plain' } : {});
  request.response.flushHeaders();
  await repeat(request, 'TEST_TRICKLE\n', { count, delayMs });
  request.response.end();
  return undefined;
};

const infiniteSlowResponse: Handler = async (request) => {
  const stateKey = request.query('stateKey') ?? '';
  const abortKey = request.query('abortKey') ?? '';
  if (stateKey !== '') request.stash.set(stateKey, 'open');
  request.response.writeHead(200, { 'Content-Type': 'text/plain' });
  request.response.write('.'.repeat(2048));
  const isOver = (): boolean => request.response.destroyed || (abortKey !== '' && request.take(abortKey) !== undefined);
  while (!isOver()) {
    request.response.write('.');
    // oxlint-disable-next-line no-await-in-loop -- one byte at a time is what it is for
    await pause(request, 10);
  }
  request.response.end();
  if (stateKey !== '') request.stash.set(stateKey, 'closed');
  return undefined;
};

/** Chunks of a chunked body, and then something that is none. */
const badChunkEncoding: Handler = async (request) => {
  const { socket } = request.response;
  const delayMs = Number(request.query('ms') ?? 1000);
  await pause(request, delayMs);
  socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let count = Number(request.query('count') ?? 50); count > 0; count--) {
    // oxlint-disable-next-line no-await-in-loop -- in turn
    await pause(request, delayMs);
    socket?.write('a\r\nTEST_CHUNK\r\n');
  }
  socket?.end('garbage');
  return undefined;
};

const stashPut: Handler = (request) => {
  request.stash.set(request.query('key') ?? '', request.query('value') ?? '');
  return { headers: [['Access-Control-Allow-Origin', '*']], body: 'done' };
};

const stashTake: Handler = (request) => ({
  headers: [
    ['Access-Control-Allow-Origin', '*'],
    ['Content-Type', 'application/json'],
  ],
  body: JSON.stringify(request.take(request.query('key') ?? '') ?? null),
});

const cleanStash: Handler = (request) => ({
  body: request.take(request.query('token') ?? '') === undefined ? '0' : '1',
});

const cache: Handler = (request) =>
  request.header('if-none-match') === '"123abc"'
    ? { status: 304, statusText: 'Not Modified', headers: [['X-HTTP-STATUS', '304']] }
    : { headers: [['ETag', '"123abc"'], PLAIN], body: 'lorem ipsum dolor sit amet' };

/** fetch/api/request/resources: remembers what each request said about caching. */
const requestCache: Handler = (request) => {
  const key = request.query('token') ?? '';
  if (request.query('querystate') !== undefined)
    return { headers: [PLAIN], body: JSON.stringify(request.take(key) ?? null) };
  const named = ['If-None-Match', 'If-Modified-Since', 'Pragma', 'Cache-Control'].flatMap(
    (name): [string, string][] => {
      const value = request.header(name.toLowerCase());
      return value === undefined || request.query('ignore') !== undefined ? [] : [[name, value]];
    },
  );
  request.stash.set(key, [...((request.take(key) as object[] | undefined) ?? []), Object.fromEntries(named)]);
  const tag = request.query('tag');
  const date = request.query('date');
  const headers: [string, string][] = [['Access-Control-Allow-Origin', '*']];
  if (tag !== undefined) headers.push(['ETag', `"${tag}"`]);
  else if (date !== undefined) headers.push(['Last-Modified', date]);
  for (const [name, parameter] of [
    ['Expires', 'expires'],
    ['Vary', 'vary'],
    ['Cache-Control', 'cache_control'],
  ] as const) {
    const value = request.query(parameter);
    if (value !== undefined) headers.push([name, value]);
  }
  const redirectTo = request.query('redirect');
  if (redirectTo !== undefined) return { status: 302, headers: [...headers, ['Location', redirectTo]] };
  const isFresh =
    (tag !== undefined && request.header('if-none-match') === `"${tag}"`) ||
    (date !== undefined && request.header('if-modified-since') === date);
  if (isFresh) return { status: 304, statusText: 'Not Modified', headers };
  return { headers: [...headers, PLAIN], body: Buffer.from(request.query('content') ?? '', 'latin1') };
};

const authentication: Handler = (request) =>
  request.header('authorization') === `Basic ${btoa('user:password')}`
    ? { body: 'Authentication done' }
    : {
        status: 401,
        statusText: 'Unauthorized',
        headers: [['WWW-Authenticate', `Basic realm="${request.query('realm') ?? 'test'}"`]],
        body: "Please login with credentials 'user' and 'password'",
      };

const dumpAuthorization: Handler = (request) => ({
  headers: [
    ['Content-Type', 'text/html'],
    ['Cache-Control', 'no-cache'],
    ['Access-Control-Allow-Origin', request.header('origin') ?? '*'],
    ['Access-Control-Allow-Headers', 'Authorization'],
  ],
  body: request.header('authorization') ?? 'none',
});

const commonRedirect: Handler = (request) => ({
  status: Number(request.query('status') ?? 302),
  headers: [['Location', request.query('location') ?? '']],
});

const slow: Handler = async (request) => {
  await pause(request, Number(request.query('delay') ?? 2000));
  return {};
};

const echoHeaders: Handler = (request) => {
  const { rawHeaders } = request.message;
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}\r\n`] : []));
  return { headers: [PLAIN], body: Buffer.from(lines.join(''), 'latin1') };
};

function badBody(coding: string): Handler {
  return (): Answer => ({ headers: [['Content-Encoding', coding]], body: `not actually ${coding}` });
}

const wasmStatus: Handler = (request) => ({
  status: Number(request.query('status')),
  headers: [['Content-Type', 'application/wasm']],
  body: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
});

async function repeat(
  request: TestRequest,
  text: string,
  { count, delayMs }: { count: number; delayMs: number },
): Promise<void> {
  for (let at = 0; at < count && !request.response.destroyed; at++) {
    // oxlint-disable-next-line no-await-in-loop -- that is what trickling is
    await pause(request, delayMs);
    request.response.write(text);
  }
  await pause(request, delayMs);
}

export const FETCH_HANDLERS: Readonly<Record<string, Handler>> = {
  '/common/redirect.py': commonRedirect,
  '/common/slow.py': slow,
  '/fetch/api/request/resources/cache.py': requestCache,
  '/fetch/api/resources/authentication.py': authentication,
  '/fetch/api/resources/bad-chunk-encoding.py': badChunkEncoding,
  '/fetch/api/resources/cache.py': cache,
  '/fetch/api/resources/clean-stash.py': cleanStash,
  '/fetch/api/resources/dump-authorization-header.py': dumpAuthorization,
  '/fetch/api/resources/echo-content.py': echoContent,
  '/fetch/api/resources/infinite-slow-response.py': infiniteSlowResponse,
  '/fetch/api/resources/inspect-headers.py': inspectHeaders,
  '/fetch/api/resources/method.py': method,
  '/fetch/api/resources/redirect-empty-location.py': () => ({ status: 302, headers: [['Location', '']] }),
  '/fetch/api/resources/redirect.py': redirect,
  '/fetch/api/resources/stash-put.py': stashPut,
  '/fetch/api/resources/stash-take.py': stashTake,
  '/fetch/api/resources/status.py': status,
  '/fetch/api/resources/trickle.py': trickle,
  '/fetch/content-encoding/br/resources/bad-br-body.py': badBody('br'),
  '/fetch/content-encoding/gzip/resources/bad-gzip-body.py': badBody('gzip'),
  '/fetch/content-encoding/zstd/resources/bad-zstd-body.py': badBody('zstd'),
  '/FileAPI/file/resources/echo-content-escaped.py': echoContentEscaped,
  '/wasm/webapi/status.py': wasmStatus,
  '/xhr/resources/echo-headers.py': echoHeaders,
  '/xhr/resources/status.py': status,
};
