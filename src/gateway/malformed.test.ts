import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { MAX_REQUEST_HEADERS } from '../limits.ts';
import { answering, send, sendRaw, startGateway, type TestGateway, until } from './testing.ts';
import { get, HOST, MALFORMED, post } from './testing-malformed.ts';

describe('A gateway that is sent what is no HTTP', () => {
  let gateway: TestGateway;
  const seen: string[] = [];

  before(async () => {
    gateway = await startGateway();
    await gateway.link(
      'a',
      answering((exchange, [, , , method = '', url = '']) => {
        seen.push(`${method} ${url}`);
        exchange.respond(200, '', 'reached', true);
      }),
    );
  });
  after(() => gateway.stop());
  afterEach(() => void (seen.length = 0));

  for (const [what, status, request] of MALFORMED) {
    it(`answers ${status} to ${what}, closes, and tells no cell`, async () => {
      const answer = await sendRaw(gateway, request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\nconnection: close\\r\\n`, 'i'));
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, answer);
      assert.deepEqual(seen, []);
      const both = await sendRaw(gateway, `${request}${get('', '/behind')}`);
      assert.equal(both.match(/HTTP\/1\.1 /g)?.length, 1, both);
      assert.match(both, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.deepEqual(seen, []);
    });
  }

  it('has counted them, and serves others as before', async () => {
    assert.ok((await gateway.stats()).malformed > 40);
    assert.equal((await send(gateway)).body, 'reached');
    assert.equal((await send(gateway, { method: 'POST', body: 'a'.repeat(100_000) })).body, 'reached');
  });

  it('cuts a connection on which garbage follows a request that waits for its answer', async () => {
    const answer = await sendRaw(gateway, `${get('')}GARBAGE\r\n\r\n`);
    // Never as an answer to the first: a proxy would hand it to whoever asked that.
    assert.doesNotMatch(answer, / 400 /);
  });

  it(`takes ${MAX_REQUEST_HEADERS} headers, and not one more`, async () => {
    const headers = `Connection: close\r\n${'a: b\r\n'.repeat(MAX_REQUEST_HEADERS - 2)}`;
    assert.match(await sendRaw(gateway, get(headers)), /^HTTP\/1\.1 200 [^]*reached/);
    assert.match(await sendRaw(gateway, get(`${headers}a: b\r\n`, '/too-many')), /^HTTP\/1\.1 431 /);
    assert.ok(seen.every((line) => !line.includes('too-many')));
  });

  it('takes what is unusual and allowed', async () => {
    for (const request of [
      `\r\n\r\n${get('Connection: close\r\n')}`,
      get('Connection: close\r\n', 'http://hello.acme.localhost/'),
      get('Connection: close\r\nX:\t a \t\r\n'),
      post('Transfer-Encoding: Chunked\r\nConnection: close\r\n', '2;a="b"\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n'),
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      assert.match(await sendRaw(gateway, request), /^HTTP\/1\.1 200 [^]*reached/);
    }
  });
});

describe('A gateway with clients that take their time', () => {
  let gateway: TestGateway;
  let begun = 0;
  let reset = '';
  let answersAtOnce = false;
  before(async () => {
    gateway = await startGateway({
      start: { patience: { headersMs: 300, requestMs: 60_000, checkMs: 50, uploadWindowMs: 200 } },
    });
    await gateway.link('a', {
      onRequest: (exchange) => {
        begun++;
        if (answersAtOnce) exchange.respond(200, '', 'begun', false);
        return { onData() {}, onEnd() {}, onReset: (_code, reason) => void (reset = reason) };
      },
    });
  });
  after(() => gateway.stop());

  for (const [what, text] of [
    ['a client that says nothing', ''],
    ['one that stops in the request line', 'GET / HT'],
    ['one that stops in a header', 'GET / HTTP/1.1\r\nHost: hello.acme.loc'],
  ] as const) {
    it(`closes on ${what}`, async () => {
      const answer = await sendRaw(gateway, text);
      assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
      assert.equal(begun, 0);
    });
  }

  it('closes on one that sends a header a byte at a time', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET / HTTP/1.1\r\n${HOST}X: `);
    const timer = setInterval(() => socket.write('a'), 20);
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(timer);
    assert.match(answer, /^HTTP\/1\.1 408 /);
    assert.equal(begun, 0);
  });

  it('closes on one that sends a body a byte at a time, and tells the cell', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(post('Content-Length: 1000000\r\n', ''));
    const timer = setInterval(() => socket.write('a'), 20);
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('data', () => clearInterval(timer));
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(timer);
    assert.match(answer, /^HTTP\/1\.1 408 /);
    await until(async () => reset !== '');
    assert.match(reset, /too slowly/);
    assert.equal(begun, 1);
  });

  it('lets one talk slowly with a Worker that answers already', async () => {
    answersAtOnce = true;
    reset = '';
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(post('Content-Length: 1000000\r\n', ''));
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    // Three times as long as others may.
    for (let round = 0; round < 30; round++) {
      // oxlint-disable-next-line no-await-in-loop -- at this rate
      await setTimeout(20);
      socket.write('a');
    }
    assert.match(answer, /^HTTP\/1\.1 200 [^]*begun/);
    assert.equal(reset, '');
    socket.destroy();
    await until(async () => reset !== '');
  });
});
