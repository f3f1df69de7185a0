import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type Exchange, RESET_CODES } from '../channel/index.ts';
import type { VersionId } from '../ids.ts';
import { MAX_REQUEST_BODY_BYTES, MAX_REQUEST_HEADER_BYTES, MAX_URL_BYTES } from '../limits.ts';
import {
  answering,
  type HttpAnswer,
  type RequestOptions,
  route,
  send,
  sendRaw,
  SILENT,
  startGateway,
  type TestGateway,
  until,
} from './testing.ts';

let gateway: TestGateway;
/** What the cell does with a request; each test sets its own. */
let serve: (exchange: Exchange, head: string[], body: Buffer) => void;
const ok = (exchange: Exchange): void => exchange.respond(200, 'OK', 'hi', true);

before(async () => {
  gateway = await startGateway();
  await gateway.link(
    'main',
    answering((...args) => serve(...args)),
  );
});
after(() => gateway.stop());

/** The head that the cell got for a request. */
async function seenHead(options: RequestOptions): Promise<string[]> {
  let seen: string[] = [];
  serve = (exchange, head) => {
    seen = head;
    ok(exchange);
  };
  const { status } = await send(gateway, options);
  assert.equal(status, 200);
  return seen;
}

function answerWith(
  status: number,
  head: string,
  body: string | undefined,
  options?: RequestOptions,
): Promise<HttpAnswer> {
  serve = (exchange) => exchange.respond(status, head, body, true);
  return send(gateway, options);
}

describe('routing', () => {
  it('gives the cell ray, version, client, method, URL and headers', async () => {
    const [ray, ...rest] = await seenHead({ path: '/p?q=1', headers: { 'X-Own': 'a b' } });
    assert.match(ray ?? '', /^[a-z0-9]{16}$/);
    assert.deepEqual(rest, [
      'v1',
      '127.0.0.1',
      'GET',
      'http://hello.acme.localhost/p?q=1',
      ...'host|hello.acme.localhost|x-own|a b'.split('|'),
      ...'cf-connecting-ip|127.0.0.1|x-real-ip|127.0.0.1|x-isola-ray'.split('|'),
      ray,
    ]);
  });

  it('finds the Worker whatever the case of the host, with a port, with a final dot', async () => {
    for (const host of ['HELLO.Acme.localhost', 'hello.acme.localhost:8080', 'hello.acme.localhost.']) {
      assert.equal((await seenHead({ host }))[4], `http://${host}/`);
    }
  });

  it('answers 404 under an unknown host, for an unknown Worker, and without a host', async () => {
    for (const host of ['example.com', 'localhost', '127.0.0.1:80', '[::1]']) {
      const answer = await send(gateway, { host });
      assert.equal(answer.status, 404);
      assert.match(answer.body, /There is nothing here/);
    }
    for (const host of ['nope.acme.localhost', 'a.b.c.localhost', 'hello.acme.localhost.localhost', '.localhost']) {
      assert.match((await send(gateway, { host })).body, /Worker not found/);
    }
    assert.equal((await send(gateway, { host: 'hello.acme.localhost:x' })).status, 400);
    assert.match(await sendRaw(gateway, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 400 [^]*names no host/);
    assert.match(await sendRaw(gateway, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 400 /);
  });

  it('sends pages as HTML to browsers and as text to the rest, with the ray', async () => {
    const html = await send(gateway, { host: 'x.localhost', headers: { accept: 'text/html,*/*' } });
    assert.match(html.headers['content-type'] ?? '', /^text\/html/);
    assert.match(html.body, /^<!doctype html>/);
    assert.ok(html.body.includes(String(html.headers['x-isola-ray'])));
    const text = await send(gateway, { host: 'x.localhost' });
    assert.match(text.headers['content-type'] ?? '', /^text\/plain/);
    assert.ok(text.body.includes(String(text.headers['x-isola-ray'])));
    assert.equal((await send(gateway, { host: 'x.localhost', method: 'HEAD' })).body, '');
  });

  it('takes an absolute request target only if it agrees with the Host header', async () => {
    const head = await seenHead({ path: 'http://Hello.acme.localhost/a?b' });
    assert.equal(head[4], 'http://hello.acme.localhost/a?b');
    for (const path of [
      'http://other.acme.localhost/',
      'ftp://hello.acme.localhost/',
      'http://hello.acme.localhost.evil/',
    ]) {
      assert.equal((await send(gateway, { path })).status, 400);
    }
  });

  it('answers 403 for a suspended account, until it is resumed', async () => {
    serve = ok;
    const { supervisor } = gateway;
    await supervisor.call('accounts', { suspend: ['acme'] });
    const { status, body } = await send(gateway);
    assert.equal(status, 403);
    assert.match(body, /Not available/);
    await supervisor.call('routes', { set: [route('late')] });
    assert.equal((await send(gateway, { host: 'late.acme.localhost' })).status, 403);
    assert.equal((await send(gateway, { host: 'nope.acme.localhost' })).status, 404);
    await supervisor.call('routes', { remove: [{ account: 'acme', worker: 'late' }] });
    await supervisor.call('accounts', { resume: ['acme'] });
    assert.equal((await send(gateway)).status, 200);
  });

  it('follows route changes at once', async () => {
    serve = ok;
    const host = 'late.acme.localhost';
    const { supervisor } = gateway;
    const statusAfter = async (params: unknown): Promise<number> => {
      await supervisor.call('routes', params);
      return (await send(gateway, { host })).status;
    };
    assert.equal(await statusAfter({ set: [route('late')] }), 200);
    assert.equal(await statusAfter({ remove: [{ account: 'acme', worker: 'late' }] }), 404);
    assert.equal(await statusAfter({ reset: true, set: [route('hello'), route('late')] }), 200);
    assert.equal(await statusAfter({ reset: true, set: [route('hello')] }), 404);
  });

  it('chooses versions by percentage, the same one for the same key', async () => {
    await gateway.supervisor.call('routes', {
      set: [
        route('split', [
          { version: 'old' as VersionId, percentage: 75 },
          { version: 'new' as VersionId, percentage: 25 },
        ]),
      ],
    });
    const versionFor = async (key: string): Promise<string> => {
      const head = await seenHead({ host: 'split.acme.localhost', headers: { 'x-isola-version-key': key } });
      return head[1] ?? '';
    };
    const versions: string[] = [];
    for (let i = 0; i < 200; i++) versions.push(await versionFor(`user-${i}`));
    const share = versions.filter((version) => version === 'new').length / versions.length;
    assert.ok(share > 0.15 && share < 0.35, `the share of the 25% version is ${share}`);
    assert.equal(await versionFor('user-7'), versions[7]);
    const one = await seenHead({ host: 'split.acme.localhost' });
    const two = await seenHead({ host: 'split.acme.localhost' });
    assert.equal(one[1], two[1]);
  });
});

describe('headers', () => {
  it('those of the connection, and forged ones, do not reach the Worker', async () => {
    const head = await seenHead({
      headers: {
        connection: 'close, X-Private',
        'x-private': '1',
        'keep-alive': 'timeout=5',
        te: 'trailers',
        'proxy-connection': 'x',
        'CF-Connecting-IP': '6.6.6.6',
        'x-real-ip': '6.6.6.6',
        'x-isola-ray': 'forged',
        'x-kept': 'yes',
      },
    });
    const names = head.slice(5).filter((_, i) => i % 2 === 0);
    assert.deepEqual(names.toSorted(), ['cf-connecting-ip', 'host', 'x-isola-ray', 'x-kept', 'x-real-ip']);
    assert.equal(head.includes('6.6.6.6') || head.includes('forged'), false);
  });

  it('a client cannot write a line of its own into the head', async () => {
    let lines: string[] = [];
    serve = (exchange, head) => {
      lines = head;
      ok(exchange);
    };
    const start = 'GET / HTTP/1.1\r\nHost: hello.acme.localhost\r\nConnection: close\r\n';
    for (const header of ['X: a\nY: b', 'X: a\r\n folded', 'X: a\rb', 'X: a\0b', 'X\n: a']) {
      lines = [];
      await sendRaw(gateway, `${start}${header}\r\n\r\n`);
      assert.equal(lines.length % 2, lines.length === 0 ? 0 : 1, header);
      assert.equal(lines.includes('b') && !lines.includes('y'), false, header);
    }
    lines = [];
    await sendRaw(gateway, 'GET /a\nb HTTP/1.1\r\nHost: hello.acme.localhost\r\nConnection: close\r\n\r\n');
    assert.deepEqual(lines, []);
  });

  it('of the Worker arrive as sent, several cookies among them, and the ray is ours', async () => {
    const answer = await answerWith(
      418,
      'Teapot\nset-cookie\na=1\nset-cookie\nb=2\nx-isola-ray\nforged\nConnection\nupgrade\ntransfer-encoding\nfoo\nx\n',
      'body',
    );
    assert.equal(answer.status, 418);
    assert.equal(answer.statusText, 'Teapot');
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    assert.match(String(answer.headers['x-isola-ray']), /^[a-z0-9]{16}$/);
    assert.equal(answer.headers['transfer-encoding'], undefined);
    assert.equal(answer.headers['x'], '');
    assert.equal(answer.body, 'body');
  });

  it('that are not valid HTTP, or a status that is none, are a 502', async () => {
    const bad: [number, string][] = [
      [200, 'OK\nbad name\nx'],
      [200, 'OK\nx\na\rb'],
      [200, 'O\r\nK'],
      [200, 'OK\nx\n\u0000'],
      [199, 'No'],
      [101, 'Switching'],
      [600, 'No'],
      [0, ''],
    ];
    for (const [status, head] of bad) assert.equal((await answerWith(status, head, 'x')).status, 502, head);
  });

  it('HEAD, 204 and 304 have no body; HEAD keeps the length', async () => {
    const head = await answerWith(200, 'OK\ncontent-length\n1234', 'body', { method: 'HEAD' });
    assert.equal(head.headers['content-length'], '1234');
    assert.equal(head.body, '');
    const none = await answerWith(204, 'No Content\ncontent-length\n3', 'abc');
    assert.equal(none.headers['content-length'], undefined);
    assert.equal((await answerWith(304, 'Not Modified\netag\n"x"', 'abc')).headers.etag, '"x"');
  });

  it('a whole body has its true length, whatever the Worker said', async () => {
    const answer = await answerWith(200, 'OK\ncontent-length\n2', 'twelve bytes');
    assert.equal(answer.headers['content-length'], '12');
    assert.equal(answer.body, 'twelve bytes');
    assert.equal((await answerWith(200, 'OK', 'ä€')).body, 'ä€');
  });
});

describe('bodies', () => {
  it('stream down in pieces as the Worker writes them', async () => {
    let exchange: Exchange | undefined;
    serve = (opened) => {
      exchange = opened;
      opened.respond(200, 'OK\ncontent-type\ntext/plain', undefined, false);
    };
    const [res] = await once(get(url(), { headers: hostHeader }), 'response');
    exchange?.write('one');
    assert.equal(String((await once(res, 'data'))[0]), 'one');
    exchange?.write('two');
    assert.equal(String((await once(res, 'data'))[0]), 'two');
    exchange?.end();
    await once(res, 'end');
  });

  it('a slow client stops the Worker, not the memory of the gateway', async () => {
    const total = 64 * 1024 * 1024;
    let granted = false;
    const drained = Promise.withResolvers<void>();
    const slow = await startGateway();
    await slow.link('slow', {
      onRequest(exchange) {
        exchange.respond(200, `OK\ncontent-length\n${total}`, undefined, false);
        granted = exchange.write(Buffer.alloc(total, 'x'));
        exchange.end();
        return { ...SILENT, onDrain: drained.resolve };
      },
    });
    const before = (await slow.stats()).memory;
    const [res] = await once(get({ port: slow.port, headers: hostHeader }), 'response');
    for (let i = 0; i < 200; i++) await slow.stats();
    assert.equal(granted, false);
    assert.ok((await slow.stats()).memory - before < 24 * 1024 * 1024);
    let received = 0;
    for await (const chunk of res) received += (chunk as Buffer).length;
    assert.equal(received, total);
    await slow.stop();
  });

  it('stream up, and a Worker that does not read stops the client', async () => {
    const total = 32 * 1024 * 1024;
    let received = 0;
    const begun = Promise.withResolvers<Exchange>();
    const uploading = await startGateway();
    await uploading.link('up', {
      onRequest: (exchange) => {
        begun.resolve(exchange);
        return {
          onData(chunk) {
            received += chunk.length;
            if (granting) exchange.grant(chunk.length);
          },
          onEnd: () => exchange.respond(200, 'OK', String(received), true),
          onReset() {},
        };
      },
    });
    let granting = false;
    const answer = send(uploading, { method: 'POST', body: Buffer.alloc(total) });
    const exchange = await begun.promise;
    await until(async () => received === 256 * 1024);
    for (let i = 0; i < 50; i++) await uploading.stats();
    assert.equal(received, 256 * 1024); // the window, and no more
    granting = true;
    exchange.grant(received);
    assert.equal((await answer).body, String(total));
    await uploading.stop();
  });

  it('a response that breaks its own content-length ends the connection, and is no next response', async () => {
    for (const body of ['HTTP/1.1 200 OK\r\n\r\n', 'x']) {
      serve = (exchange) => {
        exchange.respond(200, 'OK\ncontent-length\n5', undefined, false);
        exchange.write(body);
        exchange.end();
      };
      await assert.rejects(send(gateway), { code: 'ECONNRESET' });
    }
  });

  it('an answer before the body has been read frees the connection for the next request', async () => {
    serve = ok;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) {
      const req = request(url(), { method: 'POST', agent, headers: hostHeader });
      req.end(Buffer.alloc(1_000_000));
      const [res] = await once(req, 'response');
      assert.equal(res.statusCode, 200);
      res.resume();
      await once(res, 'end');
    }
    agent.destroy();
  });
});

describe('limits', () => {
  it('a URL may have 16 KB', async () => {
    const path = `/${'u'.repeat(MAX_URL_BYTES - 1)}`;
    assert.equal((await seenHead({ path }))[4]?.length, MAX_URL_BYTES + 'http://hello.acme.localhost'.length);
    assert.equal((await send(gateway, { path: `${path}u` })).status, 414);
  });

  it('headers may have 128 KB', async () => {
    const filled = 'h'.repeat(MAX_REQUEST_HEADER_BYTES - 200);
    assert.ok((await seenHead({ headers: { filled } })).includes(filled));
    const tooMany = { filled: 'h'.repeat(MAX_REQUEST_HEADER_BYTES + 1) };
    assert.equal((await send(gateway, { headers: tooMany })).status, 431);
  });

  it('a body may have 100 MB: one announced as larger is refused unseen', async () => {
    serve = () => assert.fail('the cell was asked');
    const length = String(MAX_REQUEST_BODY_BYTES + 1);
    const answer = await send(gateway, { method: 'POST', headers: { 'content-length': length }, body: 'begin' });
    assert.equal(answer.status, 413);
    assert.equal(answer.headers.connection, 'close');
  });

  it('a chunked body may have 100 MB: past that it is a 413, and the Worker hears of it', async () => {
    const limited = await startGateway();
    const reset = Promise.withResolvers<number>();
    let received = 0;
    await limited.link('body', {
      onRequest: (exchange) => ({
        onData(chunk) {
          received += chunk.length;
          exchange.grant(chunk.length);
        },
        onEnd: () => exchange.respond(200, 'OK', String(received), true),
        onReset: (code) => reset.resolve(code),
      }),
    });
    const piece = Buffer.alloc(1024 * 1024);
    const upload = async (extra: number): Promise<number> => {
      const req = request({ port: limited.port, method: 'POST', headers: hostHeader });
      const response = once(req, 'response');
      for (let sent = 0; sent < MAX_REQUEST_BODY_BYTES; sent += piece.length) {
        if (!req.write(piece)) await Promise.race([once(req, 'drain'), response]);
      }
      req.end(Buffer.alloc(extra));
      const [res] = await response;
      res.resume();
      return res.statusCode;
    };
    assert.equal(await upload(0), 200);
    assert.equal(await upload(1), 413);
    assert.equal(await upload(3_000_000), 413);
    assert.equal(await reset.promise, RESET_CODES.tooLarge);
    await limited.stop();
  });

  it('an upgrade without a handshake is a 400 for WebSockets; others get an ordinary answer', async () => {
    serve = ok;
    const ask = (protocol: string): Promise<string> =>
      sendRaw(
        gateway,
        `GET / HTTP/1.1\r\nHost: hello.acme.localhost\r\nConnection: close, Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
      );
    assert.match(await ask('websocket'), /^HTTP\/1.1 400 /);
    assert.match(await ask('h2c'), /^HTTP\/1.1 200 /);
  });
});

const hostHeader = { host: 'hello.acme.localhost' };

function url(): string {
  return `http://127.0.0.1:${gateway.port}/`;
}

describe('clients', () => {
  it('that leave reset their exchange', async () => {
    const reset = Promise.withResolvers<number>();
    const leaving = await startGateway();
    const opened = Promise.withResolvers<void>();
    await leaving.link('a', {
      onRequest() {
        opened.resolve();
        return { ...SILENT, onReset: (code) => reset.resolve(code) };
      },
    });
    const socket = connect(leaving.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: hello.acme.localhost\r\n\r\n');
    await opened.promise;
    socket.destroy();
    assert.equal(await reset.promise, RESET_CODES.canceled);
    assert.equal((await leaving.stats()).active, 0);
    await leaving.stop();
  });

  it('that pipeline get their answers in order', async () => {
    const open: [Exchange, string][] = [];
    serve = (exchange, head) => {
      open.push([exchange, head[4]?.slice(-1) ?? '']);
      // Answered in reverse: the connection has to put them right.
      if (open.length === 3) for (const [one, name] of open.toReversed()) one.respond(200, 'OK', `<${name}>`, true);
    };
    const ask = (name: string, more = ''): string =>
      `GET /${name} HTTP/1.1\r\nHost: hello.acme.localhost\r\n${more}\r\n`;
    const answer = await sendRaw(gateway, ask('1') + ask('2') + ask('3', 'Connection: close\r\n'));
    assert.deepEqual(answer.match(/<.>/g), ['<1>', '<2>', '<3>']);
  });
});
