import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { type Exchange, RESET_CODES } from '../channel/index.ts';
import { MAX_HTTP2_STREAMS, MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import { answering, SILENT, startGateway, type TestGateway, testPair, until } from './testing.ts';

const HOST = 'hello.acme.localhost';

let gateway: TestGateway;
let serve: (exchange: Exchange, head: string[], body: Buffer) => void;
const ok = (exchange: Exchange): void => exchange.respond(200, '', 'hi', true);

before(async () => {
  gateway = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base'), testPair('shop')] } } });
  await gateway.link(
    'main',
    answering((...args) => serve(...args)),
  );
});
after(() => gateway.stop());

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function open(port = gateway.tlsPort): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    servername: HOST,
    maxSendHeaderBlockLength: 1024 * 1024, // of this client: it would not send what is tested here
  });
  session.on('error', () => {});
  return session;
}

function start(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({ ':authority': HOST, ...headers }, { endStream: false });
  stream.on('error', () => {});
  return stream;
}

async function finish(stream: ClientHttp2Stream, body?: string | Uint8Array): Promise<Answer> {
  stream.end(body);
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return { headers, body: await text(stream) };
}

async function send(headers: OutgoingHttpHeaders = {}, body?: string): Promise<Answer> {
  const session = open();
  try {
    return await finish(start(session, headers), body);
  } finally {
    session.close();
  }
}

/** The code that a stream is refused with. */
async function refusal(headers: OutgoingHttpHeaders): Promise<number | undefined> {
  const session = open();
  const stream = start(session, headers);
  stream.end();
  await once(stream, 'close').catch(() => {});
  session.destroy();
  return stream.rstCode;
}

describe('HTTP/2', () => {
  it('gives the cell the same head as HTTP/1.1, with https in the URL and cookies in one header', async () => {
    let seen: string[] = [];
    serve = (exchange, head) => {
      seen = head;
      ok(exchange);
    };
    const { headers, body } = await send({ ':path': '/p?q=1', 'x-own': 'a b', cookie: ['a=1', 'b=2'] });
    assert.equal(headers[':status'], 200);
    assert.equal(body, 'hi');
    assert.equal(headers['x-isola-ray'], seen[0]);
    assert.deepEqual(seen.slice(1), [
      'v1',
      '127.0.0.1',
      'GET',
      `https://${HOST}/p?q=1`,
      ...`host|${HOST}|x-own|a b|cookie|a=1; b=2`.split('|'),
      ...'cf-connecting-ip|127.0.0.1|x-real-ip|127.0.0.1|x-isola-ray'.split('|'),
      seen[0],
    ]);
  });

  it('answers with pages of its own, and with errors for what is no request', async () => {
    serve = ok;
    const page = await send({ ':authority': 'nope.acme.localhost' });
    assert.equal(page.headers[':status'], 404);
    assert.match(page.body, /Worker not found/);
    assert.equal((await send({ ':authority': 'example.com' })).headers[':status'], 404);
    assert.equal((await send({ ':method': 'OPTIONS', ':path': '*' })).headers[':status'], 400);
    assert.equal((await send({ ':authority': HOST, host: HOST })).headers[':status'], 200);
    assert.equal(await refusal({ host: 'other.acme.localhost' }), constants.NGHTTP2_PROTOCOL_ERROR);
    assert.equal(await refusal({ ':scheme': 'http' }), constants.NGHTTP2_PROTOCOL_ERROR);
  });

  it('drops what HTTP/2 has no room for from a Worker’s answer; what is no header at all is a 502', async () => {
    const head = [
      '',
      'connection',
      'close',
      'transfer-encoding',
      'chunked',
      'keep-alive',
      '1',
      'X-Own',
      'a',
      'x-own',
      'b',
    ];
    serve = (exchange) =>
      exchange.respond(200, [...head, 'set-cookie', 'a=1', 'set-cookie', 'b=2'].join('\n'), 'hi', true);
    const { headers } = await send();
    assert.equal(headers['connection'], undefined);
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(headers['x-own'], 'a, b');
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    for (const bad of [':status\n500', 'a b\nc', '\nx']) {
      serve = (exchange) => exchange.respond(200, `\n${bad}`, 'hi', true);
      assert.equal((await send()).headers[':status'], 502, bad);
    }
  });

  it('sends no body with HEAD, 204 and 304', async () => {
    serve = (exchange) => exchange.respond(200, '\ncontent-length\n5', 'hello', true);
    const head = await send({ ':method': 'HEAD' });
    assert.deepEqual([head.headers['content-length'], head.body], ['5', '']);
    for (const status of [204, 304]) {
      serve = (exchange) => exchange.respond(status, '', 'hi', true);
      assert.deepEqual([(await send()).headers[':status'], (await send()).body], [status, '']);
    }
  });

  it('streams bodies both ways, each no faster than it is read', async () => {
    const size = 3 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 'x');
    await using echo = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base')] } } }).then(
      (started) => ({
        ...started,
        [Symbol.asyncDispose]: () => started.stop(),
      }),
    );
    await echo.link('echo', {
      onRequest: (exchange) => {
        exchange.respond(200, '', undefined, false);
        const events = {
          onData: (data: Buffer) => {
            exchange.write(data);
            exchange.grant(data.length);
          },
          onEnd: () => exchange.end(),
          onReset: () => {},
        };
        return events;
      },
    });
    const session = open(echo.tlsPort);
    const stream = start(session, { ':method': 'POST' });
    let received = 0;
    stream.on('data', (data: Buffer) => (received += data.length));
    for (let sent = 0; sent < size; sent += chunk.length) if (!stream.write(chunk)) await once(stream, 'drain');
    stream.end();
    await once(stream, 'end');
    assert.equal(received, size);
    session.close();
  });

  it('refuses a body that is announced as too large, and answers on the same connection after it', async () => {
    serve = ok;
    const session = open();
    const large = start(session, { ':method': 'POST', 'content-length': String(MAX_REQUEST_BODY_BYTES + 1) });
    large.write('the first bytes');
    const [headers] = (await once(large, 'response')) as [IncomingHttpHeaders];
    assert.equal(headers[':status'], 413);
    large.close(constants.NGHTTP2_CANCEL);
    assert.equal((await finish(start(session))).body, 'hi');
    session.close();
  });

  it('a stream that its client gives up resets its exchange and no other', async () => {
    const resets: number[] = [];
    let waiting: Exchange | undefined;
    const started = Promise.withResolvers<void>();
    await using own = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base')] } } }).then((gate) => ({
      ...gate,
      [Symbol.asyncDispose]: () => gate.stop(),
    }));
    await own.link('slow', {
      onRequest: (exchange, head) => {
        if (head.includes('/wait')) waiting = exchange;
        else started.resolve();
        return { ...SILENT, onReset: (code) => resets.push(code) };
      },
    });
    const session = open(own.tlsPort);
    const kept = finish(start(session, { ':path': '/wait' }));
    const given = start(session);
    given.end();
    await started.promise;
    given.close(constants.NGHTTP2_CANCEL);
    await until(async () => resets.length === 1);
    assert.deepEqual(resets, [RESET_CODES.canceled]);
    waiting?.respond(200, '', 'still here', true);
    assert.equal((await kept).body, 'still here');
    session.destroy();
    await until(async () => (await own.stats()).active === 0);
  });

  it(`takes ${MAX_HTTP2_STREAMS} requests at once on a connection`, async () => {
    const waiting: Exchange[] = [];
    serve = (exchange) => void waiting.push(exchange);
    const session = open();
    await once(session, 'remoteSettings');
    assert.equal(session.remoteSettings.maxConcurrentStreams, MAX_HTTP2_STREAMS);
    const answers = Array.from({ length: MAX_HTTP2_STREAMS + 1 }, () => finish(start(session)));
    await until(async () => waiting.length === MAX_HTTP2_STREAMS);
    for (const exchange of waiting) ok(exchange);
    serve = ok;
    for (const { body } of await Promise.all(answers)) assert.equal(body, 'hi');
    session.close();
  });

  it('ends the connection of a client that opens streams only to give them up', async () => {
    serve = () => {};
    const session = open();
    await once(session, 'connect');
    let opened = 0;
    while (!session.destroyed && opened < 20_000) {
      for (let n = 0; n < 50 && !session.destroyed && !session.closed; n++, opened++) {
        const stream = start(session);
        stream.close(constants.NGHTTP2_CANCEL);
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (session.closed) break;
    }
    assert.ok(opened < 20_000, `still there after ${opened}`);
    session.destroy();
    serve = ok;
    assert.equal((await send()).body, 'hi');
    await until(async () => (await gateway.stats()).active === 0);
  });

  it('refuses heads beyond the limit', async () => {
    serve = ok;
    // No header may have 64 KiB: nghttp2 takes that for an attack on its memory.
    const large = 'x'.repeat(60 * 1024);
    assert.equal((await send({ 'x-1': large, 'x-2': large })).headers[':status'], 200);
    assert.notEqual(await refusal({ 'x-1': large, 'x-2': large, 'x-3': large }), 0);
  });
});

describe('TLS', () => {
  const https = (path: string, servername = HOST): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const req = httpsRequest(
        {
          port: gateway.tlsPort,
          host: '127.0.0.1',
          path,
          servername,
          rejectUnauthorized: false,
          agent: false,
          headers: { host: HOST },
        },
        (res) => void text(res).then((body) => resolve({ status: res.statusCode, body })),
      );
      req.on('error', reject);
      req.end();
    });
  const certificateFor = async (servername: string): Promise<string> => {
    const socket = tlsConnect({ port: gateway.tlsPort ?? 0, host: '127.0.0.1', servername, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { CN = '' } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  };

  it('speaks HTTP/1.1 with who does not know better, plain HTTP stays on its own port', async () => {
    let url = '';
    serve = (exchange, head) => {
      url = head[4] ?? '';
      ok(exchange);
    };
    assert.deepEqual(await https('/x'), { status: 200, body: 'hi' });
    assert.equal(url, `https://${HOST}/x`);
    const req = httpRequest({ port: gateway.port, host: '127.0.0.1', path: '/y', headers: { host: HOST } });
    req.end();
    await once(req, 'response');
    assert.equal(url, `http://${HOST}/y`);
    req.destroy();
  });

  it('chooses the certificate by name, wildcards among them, and has the first for the rest', async () => {
    assert.equal(await certificateFor('x.acme.localhost'), 'isola test');
    assert.equal(await certificateFor('Shop.example.com'), 'isola test shop');
    assert.equal(await certificateFor('a.shop.example.com'), 'isola test shop');
    assert.equal(await certificateFor('unknown.test'), 'isola test');
  });

  it('opens WebSockets by HTTP/1.1 on the same port', async () => {
    serve = (exchange) => exchange.respond(101, '', undefined, false);
    const req = httpsRequest({
      port: gateway.tlsPort,
      host: '127.0.0.1',
      servername: HOST,
      rejectUnauthorized: false,
      headers: {
        host: HOST,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      },
    });
    req.end();
    const [res, socket] = (await once(req, 'upgrade')) as [{ statusCode: number }, { destroy(): void }];
    assert.equal(res.statusCode, 101);
    socket.destroy();
    await until(async () => (await gateway.stats()).webSockets === 0);
  });

  it('takes other certificates for new handshakes, and drops no connection for it', async () => {
    serve = ok;
    const session = open();
    assert.equal((await finish(start(session))).body, 'hi');
    await gateway.supervisor.call('tls', { pairs: [testPair('shop')] });
    assert.equal(await certificateFor(HOST), 'isola test shop');
    assert.equal((await finish(start(session))).body, 'hi');
    session.close();
    await gateway.supervisor.call('tls', { pairs: [testPair('base'), testPair('shop')] });
  });

  it('drains with a GOAWAY: what is under way is answered, nothing new is taken', async () => {
    const own = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base')] } } });
    let waiting: Exchange | undefined;
    await own.link(
      'slow',
      answering((exchange) => (waiting = exchange)),
    );
    const session = open(own.tlsPort);
    const answer = finish(start(session));
    await until(async () => waiting !== undefined);
    const drained = own.supervisor.call('drain', { timeoutMs: 10_000 });
    await once(session, 'goaway');
    waiting?.respond(200, '', 'the last one', true);
    assert.equal((await answer).body, 'the last one');
    await drained;
    await own.stop();
  });

  it('may send the clients of the plain port here', async () => {
    const own = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base')] }, redirectTo: 8443 } });
    await own.link('main', answering(ok));
    const get = async (host: string): Promise<[number | undefined, string | undefined]> => {
      const req = httpRequest({ port: own.port, host: '127.0.0.1', path: '/a?b', agent: false, headers: { host } });
      req.end();
      const [res] = (await once(req, 'response')) as [
        { statusCode: number; headers: { location?: string }; resume(): void },
      ];
      res.resume();
      return [res.statusCode, res.headers.location];
    };
    assert.deepEqual(await get(`${HOST}:8787`), [308, `https://${HOST}:8443/a?b`]);
    assert.deepEqual(await get('unknown.test'), [404, undefined]);
    const session = open(own.tlsPort);
    assert.equal((await finish(start(session))).body, 'hi');
    session.close();
    await own.stop();
  });
});
